"""What tests share that is no fixture: things to test with, made in one place each."""
