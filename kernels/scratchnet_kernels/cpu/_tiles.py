"""Tiles of sums that stay in registers, as tuples: the inner loops of `_dots` and `_columns`.

A tile is `ROWS` × `columns` registers of sums, row after row in one tuple. Numba keeps a tuple that nobody indexes at
run time in registers, as it does single locals, so a tile's size is a number here and no page of names there. Rows and
columns are given as tuples of places (flat indices); a tile that sticks out repeats its last row or column and leaves
the surplus sums unused, which costs less than a second, smaller kernel.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from .simd import REGISTER_BYTES, Register
from .simd._type import I32, address, call, cgutils, first, intrinsic, splat, zeros

UniTuple: Any = types.UniTuple
ROWS = 4
WIDE = 6 if REGISTER_BYTES == 64 else 2  # columns of `_dots`: 24 sums of 32 registers, or 8 of 16


def _load(context: Any, builder: Any, array_type: Any, array: Any, index: Any, register: Any) -> Any:
    pointer = address(context, builder, array_type, array, index, register.llvm)
    return builder.load(pointer, align=register.dtype.bitwidth // 8)


def _least(builder: Any, i: Any, j: Any) -> Any:
    return builder.select(builder.icmp_signed("<", i, j), i, j)


@intrinsic
def rows_at(typing: Any, start: Any, step: Any, first: Any, last: Any) -> Any:
    """The places of `ROWS` rows from number `first` on: start + r·step, none beyond row `last`."""
    places = UniTuple(types.intp, ROWS)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        begin, stride, row, end = arguments
        numbers = [_least(builder, builder.add(row, ir.Constant(row.type, r)), end) for r in range(ROWS)]
        made = [builder.add(begin, builder.mul(number, stride)) for number in numbers]
        return context.make_tuple(builder, places, made)

    return places(types.intp, types.intp, types.intp, types.intp), generate


@intrinsic
def columns_at(typing: Any, start: Any, table: Any, first: Any, last: Any, count: Any) -> Any:
    """The places of `count` columns (a literal) from number `first` on: start + table[j], none beyond `last`."""
    if not isinstance(count, types.IntegerLiteral):
        return None  # Numba asks again with the literal
    length = count.literal_value
    places = UniTuple(types.intp, length)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        begin, array, column, end, _ = arguments
        data = context.make_array(table)(context, builder, array).data
        numbers = [_least(builder, builder.add(column, ir.Constant(column.type, j)), end) for j in range(length)]
        made = [builder.add(begin, builder.load(builder.gep(data, [number]))) for number in numbers]
        return context.make_tuple(builder, places, made)

    return places(types.intp, table, types.intp, types.intp, count), generate


@intrinsic
def tile_zero(typing: Any, array: Any, columns: Any) -> Any:
    """A tile of zeros with as many columns as the tuple `columns` has places."""
    register = Register(array.dtype)
    tile = UniTuple(register, ROWS * columns.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_tuple(builder, tile, [zeros(register)] * tile.count)

    return tile(array, columns), generate


@intrinsic
def tile_rows(typing: Any, array: Any, rows: Any, columns: Any) -> Any:
    """A tile whose every row r holds array[rows[r]] in all lanes of all its columns."""
    register = Register(array.dtype)
    tile = UniTuple(register, ROWS * columns.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = []
        for place in cgutils.unpack_tuple(builder, arguments[1], ROWS):
            pointer = address(context, builder, array, arguments[0], place, register.element)
            made += [splat(builder, register.llvm, builder.load(pointer))] * columns.count
        return context.make_tuple(builder, tile, made)

    return tile(array, rows, columns), generate


def _added(context: Any, builder: Any, sums: Any, tile: Any, xs: Any, ys: Any) -> Any:
    """The tile with xs[r]·ys[c] added to the sum in row r and column c."""
    held = cgutils.unpack_tuple(builder, tile, sums.count)
    name = f"llvm.fmuladd.{sums.dtype.suffix}"
    made: list[Any] = []
    for x in xs:
        made += [call(builder, name, sums.dtype.llvm, [x, y, held[len(made) + n]]) for n, y in enumerate(ys)]
    return context.make_tuple(builder, sums, made)


@intrinsic
def tile_dots(typing: Any, sums: Any, A: Any, rows: Any, i: Any, B: Any, columns: Any, j: Any) -> Any:
    """sums[r, c] + A[rows[r] + i :]·B[columns[c] + j :], lane by lane."""
    register = sums.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile, a, r, i_, b, c, j_ = arguments
        places = cgutils.unpack_tuple(builder, c)
        ys = [_load(context, builder, B, b, builder.add(place, j_), register) for place in places]
        places = cgutils.unpack_tuple(builder, r)
        xs = [_load(context, builder, A, a, builder.add(place, i_), register) for place in places]
        return _added(context, builder, sums, tile, xs, ys)

    return sums(sums, A, rows, types.intp, B, columns, types.intp), generate


@intrinsic
def tile_dots_n(typing: Any, sums: Any, A: Any, rows: Any, i: Any, B: Any, columns: Any, j: Any, n: Any) -> Any:
    """`tile_dots` over the first n lanes. Memory beyond is not touched, and the sums of other lanes stay."""
    register = sums.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile, a, r, i_, b, c, j_, count = arguments
        mask = first(builder, register.lanes, count)

        def load(array_type: Any, array: Any, index: Any) -> Any:
            pointer = address(context, builder, array_type, array, index, register.llvm)
            operands = [pointer, ir.Constant(I32, register.dtype.bitwidth // 8), mask, zeros(register)]
            return call(builder, f"llvm.masked.load.{register.suffix}.p0", register.llvm, operands)

        ys = [load(B, b, builder.add(place, j_)) for place in cgutils.unpack_tuple(builder, c)]
        xs = [load(A, a, builder.add(place, i_)) for place in cgutils.unpack_tuple(builder, r)]
        return _added(context, builder, sums, tile, xs, ys)

    return sums(sums, A, rows, types.intp, B, columns, types.intp, types.intp), generate


@intrinsic
def tile_add_sums(typing: Any, C: Any, c: Any, c_row: Any, R: Any, J: Any, sums: Any) -> Any:
    """C[c + r·c_row + j] += the sum over the lanes of sums[r, j], for the rows below R and the columns below J."""
    register, columns = sums.dtype, sums.count // ROWS
    width = 1 << (columns - 1).bit_length()  # a power of two, as hardware has them
    row_type, numbers = ir.VectorType(register.element, width), ir.VectorType(I32, width)
    suffix = f"v{width}f{register.dtype.bitwidth}"

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, step, rows, count, tile = arguments
        tile, zero = cgutils.unpack_tuple(builder, tile, sums.count), ir.Constant(register.element, 0.0)
        inside = builder.icmp_signed(
            "<",
            ir.Constant(numbers, list(range(width))),
            splat(builder, numbers, builder.trunc(_least(builder, count, ir.Constant(count.type, columns)), I32)),
        )
        nobody, nothing = (
            ir.Constant(ir.VectorType(ir.IntType(1), width), [0] * width),
            ir.Constant(row_type, [0.0] * width),
        )
        align = ir.Constant(I32, register.dtype.bitwidth // 8)
        for r in range(ROWS):
            mask = builder.select(builder.icmp_signed(">", rows, ir.Constant(rows.type, r)), inside, nobody)
            added = nothing
            for j in range(columns):
                name = f"llvm.vector.reduce.fadd.{register.suffix}"
                s = call(builder, name, register.element, [zero, tile[r * columns + j]], fastmath=("reassoc",))
                added = builder.insert_element(added, s, ir.Constant(I32, j))
            pointer = address(context, builder, C, array, start, row_type)
            held = call(builder, f"llvm.masked.load.{suffix}.p0", row_type, [pointer, align, mask, nothing])
            operands = [builder.fadd(held, added), pointer, align, mask]
            call(builder, f"llvm.masked.store.{suffix}.p0", ir.VoidType(), operands)
            start = builder.add(start, step)
        return context.get_dummy_value()

    return types.void(C, types.intp, types.intp, types.intp, types.intp, sums), generate


@intrinsic
def tile_store(typing: Any, C: Any, rows: Any, columns: Any, widths: Any, sums: Any) -> Any:
    """C[rows[r] + columns[c] : ... + widths[c]] = sums[r, c]."""
    register = sums.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, r, c, w, tile = arguments
        tile = cgutils.unpack_tuple(builder, tile, sums.count)
        masks = [first(builder, register.lanes, width) for width in cgutils.unpack_tuple(builder, w)]
        starts = cgutils.unpack_tuple(builder, c)
        align = ir.Constant(I32, register.dtype.bitwidth // 8)
        for number, row in enumerate(cgutils.unpack_tuple(builder, r)):
            sums_of_row = tile[number * len(starts) : (number + 1) * len(starts)]
            for place, mask, x in zip(starts, masks, sums_of_row, strict=True):
                pointer = address(context, builder, C, array, builder.add(row, place), register.llvm)
                call(builder, f"llvm.masked.store.{register.suffix}.p0", ir.VoidType(), [x, pointer, align, mask])
        return context.get_dummy_value()

    return types.void(C, rows, columns, widths, sums), generate


@intrinsic
def tile_spread(typing: Any, sums: Any, A: Any, rows: Any, i: Any, B: Any, columns: Any, j: Any) -> Any:
    """sums[r, c] + A[rows[r] + i]·B[columns[c] + j :]: an element of A, spread over the lanes, by a register of B."""
    register = sums.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile, a, r, i_, b, c, j_ = arguments
        places = cgutils.unpack_tuple(builder, c)
        ys = [_load(context, builder, B, b, builder.add(place, j_), register) for place in places]
        places = [builder.add(place, i_) for place in cgutils.unpack_tuple(builder, r)]
        addresses = [address(context, builder, A, a, place, register.element) for place in places]
        xs = [splat(builder, register.llvm, builder.load(pointer)) for pointer in addresses]
        return _added(context, builder, sums, tile, xs, ys)

    return sums(sums, A, rows, types.intp, B, columns, types.intp), generate
