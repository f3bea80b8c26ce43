"""`python -m sloforge` is `sloforge`."""

from sloforge.cli import main

if __name__ == "__main__":
    main()
