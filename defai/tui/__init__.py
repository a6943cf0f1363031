"""The terminal application. Import `defai.tui.app` to run it, `defai.tui.bridge` to feed it from another thread."""
