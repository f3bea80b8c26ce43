"""What the docs site has beside docs/: reference pages made of the code, files of the repository, figures."""
