"""The viewer in the terminal: documents as a person reads them, pictures by what it can show."""
