"""An author's strategy in a process of its own, without network, files, environment or children."""
