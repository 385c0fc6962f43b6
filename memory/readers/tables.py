"""Rows of tables as lines that can be read alone."""


def row_line(columns: list[str], cells: list[str]) -> str:
    """`Name: Ann; Age: 41` for the row `Ann, 41` under the columns `Name, Age`."""
    named = [
        f"{columns[i]}: {cell}" if i < len(columns) and columns[i] else cell
        for i, cell in enumerate(cells)
        if cell
    ]
    return "; ".join(named)
