"""Events as lines: text, JSON, CSV. A format is made for one run, and takes the events of a transaction table by table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from defs.describe.words import visible
from defs.store.reading import TableRows, Transaction
from defs.store.showing import cell_text, inputs_json, row_json, row_text, time_text

__all__ = ["EVENT_FORMATS", "EventLines"]

EventLines: TypeAlias = Callable[[Transaction, TableRows], Iterator[str]]


class CsvEvents:
    """Events as CSV; of one table, with its columns, and a new header when they change."""

    HEAD = ("tx_offset", "timestamp", "reducer", "caller_identity", "table")

    def __init__(self, single: bool) -> None:
        self.single = single
        self.header: tuple[str, ...] | None = None

    def __call__(self, tx: Transaction, group: TableRows) -> Iterator[str]:
        table, call = group.table, inputs_json(tx.inputs)
        header = (*self.HEAD, *([column.name for column in table.columns] if self.single else ["row"]))
        if header != self.header:
            if self.header is not None:
                yield ""
            self.header = header
            yield _csv_line(header)
        head = [tx.tx_offset, *(call[key] for key in self.HEAD[1:4]), table.name]
        for row in group.values:
            cells = [cell_text(column.type, value) for column, value in zip(table.columns, row, strict=True)]
            yield _csv_line([*head, *(cells if self.single else [row_json(table, row)])])


def _csv_line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)  # a line end in a cell is quoted for being this
    return line.getvalue()[:-1]


def text_events(tx: Transaction, group: TableRows) -> Iterator[str]:
    inputs = tx.inputs
    when = time_text(inputs.timestamp) if inputs and inputs.timestamp is not None else "-"
    who = visible(inputs.reducer_name) if inputs else "-"
    for row in group.values:
        yield f"{tx.tx_offset}  {when}  {who}  {visible(group.table.name)}  {row_text(group.table, row)}"


def json_events(tx: Transaction, group: TableRows) -> Iterator[str]:
    fields = {"tx_offset": tx.tx_offset, **inputs_json(tx.inputs), "table_id": group.table.table_id, "table": group.table.name}
    head = json.dumps(fields)[:-1]
    for row in group.values:
        yield f'{head}, "row": {row_json(group.table, row)}}}'


#: Formats by name; `single` says whether all the events are of one table.
EVENT_FORMATS: dict[str, Callable[[bool], EventLines]] = {
    "text": lambda single: text_events,
    "json": lambda single: json_events,
    "csv": CsvEvents,
}
