"""What SQL Server would refuse, found without one.

Compiling a statement for SQL Server proves little: much that it refuses compiles without a word. Here a statement is
parsed as T-SQL and looked over for what the parser forgives: words of other databases, predicates in the place of
values, limits without an order, locks that vanished. Each finding says why and what to write in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

MOST_PARAMETERS = 2_000  # the server takes 2,100 and needs some of its own
MOST_VALUES = 1_000
LONGEST_NAME = 128
WITH_TRIGGERS = frozenset({"audit_event"})

_WORDS = {
    "LIMIT": "T-SQL has TOP and OFFSET … FETCH; use .limit(), which compiles to them",
    "RETURNING": "T-SQL has OUTPUT; use .returning(), which compiles to it",
    "ILIKE": "compare lower-case texts, which is what ingestion stores",
    "REGEXP": "match in Python",
    "RLIKE": "match in Python",
    "GLOB": "use LIKE",
    "CONFLICT": "T-SQL has no ON CONFLICT; update, look at rowcount, insert, and let the key refuse a second",
    "NULLS": "T-SQL has no NULLS FIRST or LAST; order by a CASE first",
    "TRUE": "T-SQL has no boolean literals; store and compare 0 and 1",
    "FALSE": "T-SQL has no boolean literals; store and compare 0 and 1",
    "BOOLEAN": "T-SQL has BIT",
    "ROWID": "a row's number of SQLite; use the key",
    "AUTOINCREMENT": "T-SQL has IDENTITY",
    "PRAGMA": "a command of SQLite; it belongs into the engine",
    "RECURSIVE": "T-SQL writes WITH alone",
    "LATERAL": "T-SQL has CROSS APPLY",
    "FILTER": "sum a CASE instead",
}
_FUNCTIONS = {
    "json_extract": "JSON_VALUE; generated columns only",
    "json_each": "OPENJSON; read it in Python",
    "group_concat": "STRING_AGG; join in Python",
    "string_agg": "differs between the two; join in Python",
    "strftime": "compute dates in Python",
    "julianday": "compute dates in Python",
    "datetime": "compute dates in Python",
    "date": "compute dates in Python",
    "now": "pass the clock's instant",
    "ifnull": "COALESCE",
    "iif": "CASE",
    "substr": "SUBSTRING",
    "length": "LEN, which ignores trailing blanks; count in Python",
    "instr": "CHARINDEX",
    "printf": "format in Python",
    "random": "draw in Python",
    "total": "SUM",
    "hex": "encode in Python",
    "unicode": "differs between the two",
    "last_insert_rowid": "inserted_primary_key",
    "mod": "the sign %",
    "ceil": "CEILING, which SQLite has not; compute in Python",
    "trunc": "ROUND with three arguments; compute in Python",
    "pow": "POWER",
    "ln": "LOG",
    "char_length": "LEN, which ignores trailing blanks; count in Python",
    "strpos": "CHARINDEX",
    "position": "CHARINDEX",
    "lpad": "fill up in Python",
    "rpad": "fill up in Python",
    "extract": "DATEPART; sa.extract() compiles to it",
    "date_part": "DATEPART; sa.extract() compiles to it",
    "date_trunc": "compute dates in Python",
    "to_char": "format in Python",
}
_SYMBOLS = {
    TokenType.DPIPE: "|| is +, or CONCAT, in T-SQL; add texts with + in Core",
    TokenType.DCOLON: ":: is no cast in T-SQL; use CAST",
    TokenType.COLON: "a named parameter was left in the text; the driver knows ? only",
    TokenType.ARROW: "-> is JSON_QUERY in T-SQL; read JSON in Python",
    TokenType.DARROW: "->> is JSON_VALUE in T-SQL; read JSON in Python",
}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.Like, exp.In, exp.Between, exp.Exists)
_STATEMENTS = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter)
_PREDICATES = (*_COMPARISONS, exp.And, exp.Or, exp.Not)


def problems(sql: str, parameters: int = 0) -> list[str]:
    """Why SQL Server would refuse `sql`, which passes so many parameters; empty where nothing speaks against it."""
    found = [f"{parameters} parameters; a statement takes {MOST_PARAMETERS}"] if parameters > MOST_PARAMETERS else []
    try:
        found.extend(_of_words(sqlglot.tokenize(sql, dialect="tsql")))
        trees = sqlglot.parse(sql, dialect="tsql")
    except SqlglotError as fault:
        return [*found, f"is not T-SQL: {str(fault).partition(chr(10))[0]}"]
    for tree in trees:
        if tree is None:
            continue
        if not isinstance(tree, _STATEMENTS):
            found.append(f"{_shown(tree)} is no statement that the parser knows")
        else:
            found.extend(problem for rule in _RULES for problem in rule(tree))
    return list(dict.fromkeys(found))


def _of_words(tokens: list[Token]) -> Iterator[str]:
    """Words and signs of other databases, outside of texts and quoted names."""
    texts = {TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.NUMBER}
    for before, token, after in zip([None, *tokens[:-1]], tokens, [*tokens[1:], None], strict=True):
        if token.token_type in _SYMBOLS:
            yield _SYMBOLS[token.token_type]
        elif token.text == "==":
            yield "== is = in T-SQL"
        elif token.token_type not in texts:
            if len(token.text) > LONGEST_NAME:
                yield f"the name {token.text[:20]}… is longer than {LONGEST_NAME} characters"
            if token.token_type is not TokenType.IDENTIFIER and not (before and before.token_type is TokenType.DOT):
                yield from _of_word(token.text, after)
    yield from _of_substrings(tokens)


def _of_substrings(tokens: list[Token]) -> Iterator[str]:
    """The parser takes SUBSTRING(a FROM 1 FOR 2), and gives back the tree of SUBSTRING(a, 1, 2)."""
    opened: list[bool] = []  # whether each open parenthesis is that of SUBSTRING
    for before, token in zip([None, *tokens[:-1]], tokens, strict=True):
        if token.token_type is TokenType.L_PAREN:
            opened.append(before is not None and before.text.upper() == "SUBSTRING")
        elif token.token_type is TokenType.R_PAREN and opened:
            opened.pop()
        elif token.token_type is TokenType.FROM and opened and opened[-1]:
            yield "SUBSTRING … FROM is SUBSTRING(text, start, length) in T-SQL"


def _of_word(word: str, after: Token | None) -> Iterator[str]:
    if word.upper() in _WORDS:
        yield f"{word.upper()}: {_WORDS[word.upper()]}"
    if after is None:
        return
    if after.token_type is TokenType.L_PAREN and word.lower() in _FUNCTIONS:
        yield f"{word.lower()}(): {_FUNCTIONS[word.lower()]}"
    if (word.upper(), after.text.upper()) == ("FOR", "UPDATE"):
        yield "FOR UPDATE: rows are locked by hints; use dialect.claimed()"


def _predicates_as_values(tree: exp.Expr) -> Iterator[str]:
    """T-SQL knows no boolean values: a predicate may stand where a condition stands, and nowhere else."""
    for node in tree.find_all(*_PREDICATES):
        parent = node.parent
        while isinstance(parent, exp.Paren):
            parent = parent.parent
        if not _takes_condition(parent, node):
            yield f"the predicate {_shown(node)} stands in the place of a value; write CASE WHEN … THEN 1 ELSE 0 END"


def _takes_condition(parent: exp.Expr | None, node: exp.Expr) -> bool:
    if isinstance(parent, exp.If):  # a CASE takes one after WHEN, and values after THEN
        inner: exp.Expr = node
        while inner.parent is not parent and inner.parent is not None:
            inner = inner.parent
        return inner.arg_key == "this"
    if isinstance(parent, exp.Update):
        return isinstance(node, exp.EQ)  # SET column = value
    if isinstance(parent, exp.Connector | exp.Not | exp.Where | exp.Having | exp.Join | exp.CheckColumnConstraint):
        return True
    return isinstance(parent, exp.When | exp.Merge | exp.ForIn | exp.CheckColumnConstraint)


def _values_as_predicates(tree: exp.Expr) -> Iterator[str]:
    """And where a condition stands, a bare column or number is none."""
    for node in tree.find_all(exp.Where, exp.Having, exp.And, exp.Or, exp.Not):
        for operand in (node.this, node.args.get("expression")):
            inner = operand.unnest() if isinstance(operand, exp.Expr) else None
            if isinstance(inner, exp.Column | exp.Literal | exp.Placeholder | exp.Null | exp.Case):
                yield f"{_shown(inner)} stands in the place of a condition; compare it with something"


def _rows_as_values(tree: exp.Expr) -> Iterator[str]:
    for node in tree.find_all(*_COMPARISONS):
        if isinstance(node.this, exp.Tuple) or isinstance(node.args.get("expression"), exp.Tuple):
            yield f"{_shown(node)}: T-SQL compares no rows of columns; compare column by column"


def _pages(tree: exp.Expr) -> Iterator[str]:
    for select in tree.find_all(exp.Select):
        limit, offset, order = (select.args.get(name) for name in ("limit", "offset", "order"))
        if (limit is not None or offset is not None) and order is None:
            yield "a limit without ORDER BY takes any rows, and OFFSET without it is refused"
        if isinstance(limit, exp.Limit) and offset is not None:
            yield "TOP and OFFSET stand in one SELECT; use FETCH"
        if isinstance(limit, exp.Fetch) and offset is None:
            yield "FETCH needs OFFSET"
        inside = isinstance(select.parent, exp.Subquery | exp.CTE | exp.In | exp.Exists | exp.SetOperation)
        if order is not None and limit is None and offset is None and inside:
            yield "a subquery has ORDER BY without TOP or OFFSET"


def _orders(tree: exp.Expr) -> Iterator[str]:
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        if order is None:
            continue
        keys = [ordered.this.sql("tsql") for ordered in order.expressions]
        if len(set(keys)) < len(keys):
            yield "a column stands twice in ORDER BY"
        shown = {part.sql("tsql") for e in select.expressions for part in (e, e.unalias())}
        names = {e.alias_or_name for e in select.expressions}
        if select.args.get("distinct") and not all(key in shown or key in names for key in keys):
            yield "SELECT DISTINCT is ordered by something that it does not select"


def _groups(tree: exp.Expr) -> Iterator[str]:
    for group in tree.find_all(exp.Group):
        if any(key.find(exp.Placeholder) for key in group.expressions):
            yield "GROUP BY holds a parameter: the server cannot see that it equals the selected one; group outside"
        if any(isinstance(key, exp.Literal) for key in group.expressions):
            yield "GROUP BY holds a number, which T-SQL does not take for a position"
    for select in tree.find_all(exp.Select):
        yield from _ungrouped(select)


def _ungrouped(select: exp.Select) -> Iterator[str]:
    """Columns beside GROUP BY or an aggregate: SQLite takes them from any row, T-SQL refuses them."""
    group, having, order = (select.args.get(name) for name in ("group", "having", "order"))
    parts = [*select.expressions, *(part for part in (having, order) if part is not None)]
    if group is None and not any(_is_total_of(node, select) for part in parts for node in part.find_all(exp.AggFunc)):
        return
    keys = group.expressions if group is not None else []
    shown = {key.sql("tsql") for key in keys}
    names = {expression.alias for expression in select.expressions if expression.alias}
    for part in parts:
        for column in _bare_columns(part, shown):
            renamed = part is order and not column.args.get("table") and column.name in names
            if not renamed and not any(_is_same(column, key) for key in keys):
                yield f"{_shown(column)} is neither grouped nor in an aggregate"


def _is_total_of(total: exp.Expr, select: exp.Select) -> bool:
    """Whether an aggregate makes one row of many of `select`; one over a window does not."""
    in_window = isinstance(total.parent, exp.Window) and total.arg_key == "this"
    return not in_window and total.find_ancestor(exp.Select) is select


def _bare_columns(node: exp.Expr, grouped: set[str]) -> Iterator[exp.Expr]:
    """Columns and stars of a projection outside of aggregates, subqueries and grouped expressions."""
    if isinstance(node, exp.Query | exp.Subquery) or node.sql("tsql") in grouped:
        return
    if isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window):
        return
    if isinstance(node, exp.Column | exp.Star):
        yield node
        return
    for inner in node.iter_expressions():
        yield from _bare_columns(inner, grouped)


def _is_same(column: exp.Expr, key: exp.Expr) -> bool:
    """Whether a column is a key of the group; one of both may leave its table out."""
    if not isinstance(column, exp.Column) or not isinstance(key, exp.Column) or column.name != key.name:
        return False
    return column.table == key.table or not column.table or not key.table


def _aggregates(tree: exp.Expr) -> Iterator[str]:
    for total in tree.find_all(exp.AggFunc):
        inner = total.find(exp.Select, exp.Exists)
        nested = any(other is not total for other in total.find_all(exp.AggFunc))
        if (inner is not None or nested) and not isinstance(total.parent, exp.Window):
            yield f"{_shown(total)} works on a subquery or another aggregate"
        if isinstance(total, exp.Max | exp.Min) and total.expressions:
            yield f"{_shown(total)} of several values is a function of SQLite; use CASE"
        distinct = total.this
        if isinstance(distinct, exp.Distinct) and len(distinct.expressions) > 1:
            yield f"{_shown(total)} counts several columns at once"
    for where in tree.find_all(exp.Where):
        for total in where.find_all(exp.AggFunc):
            if total.find_ancestor(exp.Select, exp.Update, exp.Delete) is where.parent:
                yield f"the aggregate {_shown(total)} stands in WHERE; use HAVING or a subquery"


def _windows(tree: exp.Expr) -> Iterator[str]:
    ranks = exp.RowNumber | exp.Rank | exp.DenseRank | exp.Lag | exp.Lead | exp.Ntile
    for window in tree.find_all(exp.Window):
        if isinstance(window.this, ranks) and window.args.get("order") is None:
            yield f"{_shown(window)} needs ORDER BY"
    for select in tree.find_all(exp.Select):
        for part in (select.args.get("where"), select.args.get("having"), select.args.get("group")):
            windowed = part.find(exp.Window) if part is not None else None
            if windowed is not None and windowed.find_ancestor(exp.Select) is select:
                yield "a window function stands in WHERE, HAVING or GROUP BY"


def _sizes(tree: exp.Expr) -> Iterator[str]:
    for values in tree.find_all(exp.Values):
        if len(values.expressions) > MOST_VALUES:
            yield f"VALUES has {len(values.expressions)} rows; SQL Server takes {MOST_VALUES}; pass a list of rows"
    for cast in tree.find_all(exp.Cast):
        if cast.to.is_type("varchar", "nvarchar", "char", "nchar") and not cast.to.expressions:
            yield f"{_shown(cast)} cuts texts at 30 characters; give the length"


def _shapes(tree: exp.Expr) -> Iterator[str]:
    if any(clause.parent is not tree for clause in tree.find_all(exp.With)):
        yield "WITH stands inside a statement; T-SQL takes it at the beginning only"
    if isinstance(tree, exp.Create) and tree.args.get("exists"):
        yield "CREATE … IF NOT EXISTS is unknown to T-SQL"
    if isinstance(tree, exp.Insert) and tree.args.get("alternative"):
        yield "INSERT OR … is unknown to T-SQL"
    if isinstance(tree, exp.Delete | exp.Update) and tree.args.get("limit") is not None:
        yield "a limit on UPDATE or DELETE; choose the keys in a subquery"


def _calls(tree: exp.Expr) -> Iterator[str]:
    for call in tree.find_all(exp.Round):
        if call.args.get("decimals") is None:
            yield f"{_shown(call)} needs the number of decimals"
    for test in tree.find_all(exp.Is):
        if not isinstance(test.expression, exp.Null):
            yield f"{_shown(test)}: T-SQL knows IS with NULL alone; compare with ="
    for among in tree.find_all(exp.In):
        if not any(among.args.get(name) for name in ("expressions", "query", "unnest", "field")):
            yield f"{_shown(among)}: IN needs a value; an empty list in Core compiles to a subquery without rows"


def _tables(tree: exp.Expr) -> Iterator[str]:
    for join in tree.find_all(exp.Join):
        if join.args.get("using"):
            yield "JOIN … USING is unknown to T-SQL; use ON"
        if join.args.get("method") == "NATURAL":
            yield "NATURAL JOIN is unknown to T-SQL; use ON"
    for inner in tree.find_all(exp.Subquery):
        if isinstance(inner.parent, exp.From | exp.Join) and not inner.alias:
            yield "a derived table needs an alias"


def _changes(tree: exp.Expr) -> Iterator[str]:
    for change in tree.find_all(exp.Update, exp.Delete):
        if isinstance(change.this, exp.Table) and change.this.alias:
            yield "UPDATE t AS x and DELETE FROM t AS x are unknown to T-SQL; use the table's own name"
    for change in tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge):
        output, target = change.args.get("returning"), change.find(exp.Table)
        if output is not None and not output.args.get("into") and target is not None and target.name in WITH_TRIGGERS:
            yield f"OUTPUT without INTO is refused for {target.name}, which has a trigger"


def _names(tree: exp.Expr) -> Iterator[str]:
    for inner in tree.find_all(exp.Subquery, exp.CTE):
        select = inner.this
        if not isinstance(select, exp.Select) or isinstance(inner.parent, exp.In | exp.Exists):
            continue
        derived = isinstance(inner, exp.CTE) or isinstance(inner.parent, exp.From | exp.Join)
        named = all(isinstance(e, exp.Alias | exp.Column | exp.Star) for e in select.expressions)
        if derived and not named and not inner.alias_column_names:
            yield "a derived table has a column without a name"
        names = [e.alias_or_name.lower() for e in select.expressions if e.alias_or_name not in {"", "*"}]
        if len(set(names)) < len(names):
            yield "a derived table has two columns of one name"


def _shown(node: exp.Expr) -> str:
    text = node.sql("tsql")
    return text if len(text) <= 60 else f"{text[:57]}…"


_RULES: tuple[Callable[[exp.Expr], Iterator[str]], ...] = (
    _predicates_as_values,
    _values_as_predicates,
    _rows_as_values,
    _pages,
    _orders,
    _groups,
    _aggregates,
    _windows,
    _sizes,
    _shapes,
    _calls,
    _tables,
    _changes,
    _names,
)
