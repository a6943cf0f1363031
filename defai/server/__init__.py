"""The event stream and the controls, offered to another process."""
