"""`python -m defai` is `defai`."""

from defai.cli.main import main

if __name__ == "__main__":
    main()
