"""The auscult command: arguments in, calls down, nothing else."""
