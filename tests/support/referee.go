// Go's own transparency log (golang.org/x/mod/sumdb), asked line by line.
//
// It reads commands from standard input and answers each with one line; bytes are base64.
//
//	proofs N            SHA-256 over every inclusion and consistency proof up to size N, each checked
//	tiles N             SHA-256 over the path and the data of every new tile from size to size
//	open VKEY NOTE      "ok TEXT" with the signed text, or "no"
//	sign KEY TEXT       the signed note
//	tree TEXT           "ok SIZE ROOT" of a checkpoint of the checksum database, or "no"
//	included SIZE ROOT INDEX LEAF PROOF
//	                    "yes" when the hashes of PROOF, one after the other, show the leaf there
//
// Leaf i of every tree that is grown here is the decimal text of i.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		found[at] = s[index]
	}
	return found, nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func leaf(index int64) []byte {
	return []byte(strconv.FormatInt(index, 10))
}

func grow(size int64) stored {
	var all stored
	for index := int64(0); index < size; index++ {
		added, err := tlog.StoredHashes(index, leaf(index), all)
		must(err)
		all = append(all, added...)
	}
	return all
}

func proofs(size int64) string {
	all, sum := grow(size), sha256.New()
	roots := make([]tlog.Hash, size+1)
	for tree := int64(1); tree <= size; tree++ {
		root, err := tlog.TreeHash(tree, all)
		must(err)
		roots[tree] = root
		for index := int64(0); index < tree; index++ {
			proof, err := tlog.ProveRecord(tree, index, all)
			must(err)
			must(tlog.CheckRecord(proof, tree, root, index, tlog.RecordHash(leaf(index))))
			for _, hash := range proof {
				sum.Write(hash[:])
			}
		}
		for old := int64(1); old <= tree; old++ {
			proof, err := tlog.ProveTree(tree, old, all)
			must(err)
			must(tlog.CheckTree(proof, tree, root, old, roots[old]))
			for _, hash := range proof {
				sum.Write(hash[:])
			}
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func tiles(size int64) string {
	all, sum := grow(size), sha256.New()
	known := make(map[tlog.Tile]bool)
	for tree := int64(1); tree <= size; tree++ {
		for _, tile := range tlog.NewTiles(8, tree-1, tree) {
			if known[tile] { // some versions name the tile of the size before again
				continue
			}
			known[tile] = true
			data, err := tlog.ReadTileData(tile, all)
			must(err)
			// The path names the height of tiles, which C2SP's do not: there it is always 8.
			fmt.Fprintf(sum, "%s\n", strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
			sum.Write(data)
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func open(vkey string, raw []byte) string {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "no"
	}
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return "no"
	}
	return "ok " + base64.StdEncoding.EncodeToString([]byte(opened.Text))
}

func sign(key string, text []byte) string {
	signer, err := note.NewSigner(key)
	must(err)
	raw, err := note.Sign(&note.Note{Text: string(text)}, signer)
	must(err)
	return base64.StdEncoding.EncodeToString(raw)
}

func tree(text []byte) string {
	read, err := tlog.ParseTree(text)
	if err != nil {
		return "no"
	}
	return fmt.Sprintf("ok %d %s", read.N, read.Hash)
}

func hash(raw []byte) (read tlog.Hash) {
	copy(read[:], raw)
	return read
}

func included(size int64, root []byte, index int64, leaf []byte, hashes []byte) string {
	var proof tlog.RecordProof
	for ; len(hashes) >= tlog.HashSize; hashes = hashes[tlog.HashSize:] {
		proof = append(proof, hash(hashes))
	}
	if tlog.CheckRecord(proof, size, hash(root), index, tlog.RecordHash(leaf)) != nil {
		return "no"
	}
	return "yes"
}

func number(word string) int64 {
	parsed, err := strconv.ParseInt(word, 10, 64)
	must(err)
	return parsed
}

func plain(word string) []byte {
	raw, err := base64.StdEncoding.DecodeString(word)
	must(err)
	return raw
}

func answer(words []string) string {
	switch words[0] {
	case "proofs":
		return proofs(number(words[1]))
	case "tiles":
		return tiles(number(words[1]))
	case "open":
		return open(words[1], plain(words[2]))
	case "sign":
		return sign(words[1], plain(words[2]))
	case "tree":
		return tree(plain(words[1]))
	case "included":
		return included(
			number(words[1]), plain(words[2]), number(words[3]), plain(words[4]), plain(words[5]))
	}
	panic("unknown command: " + words[0])
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		fmt.Fprintln(out, answer(strings.Split(lines.Text(), " ")))
	}
	must(lines.Err())
}
