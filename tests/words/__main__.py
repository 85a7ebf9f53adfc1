"""Writes what is generated of the command line from its grammar: `make words`."""

from words.generated import HELP, WORDS, help_texts, words

if __name__ == "__main__":
    WORDS.write_text(words(), encoding="utf-8")
    HELP.mkdir(exist_ok=True)
    for name, text in help_texts().items():
        (HELP / name).write_text(text, encoding="utf-8")
