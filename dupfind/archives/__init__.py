"""Archives as a source: ZIP and TAR are folders of a report, and what they hold are files like any other."""
