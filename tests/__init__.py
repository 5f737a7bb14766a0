"""The tests. A package, because one of the libraries they need installs a package of this name."""
