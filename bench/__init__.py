"""What sloforge costs, beside what its peer costs on the same machine in the same minute: `make bench`."""
