"""Prints the Go releases that a level of the tests needs, for scripts/test."""
import sys

# The releases that the Go probe is tested with; the first is Debian's own package.
RELEASES = ["1.19", "1.20.14", "1.21.13", "1.22.12", "1.23.1", "1.23.12", "1.24.6", "1.25.5", "1.26.8"]
NEWEST = RELEASES[-1]

if __name__ == "__main__":
    print("\n".join([RELEASES[0], NEWEST] if sys.argv[1] == "fast" else RELEASES))
