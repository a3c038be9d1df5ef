"""What changes files, and takes it back: verified copies, moves on a proof, the trash, and the journal of each step."""
