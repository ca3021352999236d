"""The parts of a dossier's page, each made from the facts of a dossier that verified."""
