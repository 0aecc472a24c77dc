"""Write docs/tables.md from the schema: run after a change of the schema (a test compares)."""

from pathlib import Path

from declinethemes.schema import TABLES

HERE = Path(__file__).resolve().parent


def tables() -> str:
    """Return the reference of the tables."""
    lines = [
        "# Tables",
        "",
        "Every table is a pandas frame, sorted by its key, stored under the same name in the study's database.",
        "Missing is `<NA>`; shares lie in 0..1. Written from `declinethemes/schema.py` by `docs/generate.py`.",
    ]
    for table in TABLES.values():
        key = ", ".join(f"`{name}`" for name in table.key)
        more = " Further columns are allowed: segments." if table.open else ""
        lines += [
            "",
            f"## {table.name}",
            "",
            f"{table.doc} Key: {key}.{more}",
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        for name, column in table.columns.items():
            values = f" One of: {', '.join(column.values)}." if column.values else ""
            optional = "" if column.required else " (optional)"
            lines.append(f"| `{name}` | {column.kind}{optional} | {column.doc}.{values} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "tables.md").write_text(tables(), encoding="utf-8")
