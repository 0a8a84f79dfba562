"""Write COUNT damaged potential files to FILE one after the other, each after its length, for scripts/sanitize."""

import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.fuzzing import damaged_potential, potential_texts


def main() -> None:
    count, path = int(sys.argv[1]), Path(sys.argv[2])
    corpus = potential_texts()
    documents = [json.loads(text) for text in corpus]
    with open(path, "wb") as file:
        for number in range(count):
            text = damaged_potential(random.Random(f"sanitize {number}"), corpus, documents)
            file.write(b"%d\n" % len(text) + text)


if __name__ == "__main__":
    main()
