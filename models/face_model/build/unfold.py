"""Our own face UV: one mirror-symmetric sheet without overlaps, large where the face is.

One half of the head is laid flat as a disk whose front midline is the straight line u = 1/2; the other half is its
mirror image. A Tutte embedding gives a start without flips, then scalable locally injective mappings (Rabinovich,
Poranne, Panozzo, Sorkine-Hornung 2017) minimise the symmetric Dirichlet energy against each triangle's own shape,
shrunk where detail does not matter. No triangle ever flips, so nostrils, lips' undersides and ears get area of their
own.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import spsolve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ITERATIONS = 150
MARGIN = 0.012


def boundary_loop(triangles: Ints) -> list[int]:
    """Vertices of the one boundary loop of a disk, in the triangles' winding order."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    present = {(int(a), int(b)) for a, b in edges}
    following = {a: b for a, b in present if (b, a) not in present}
    start = next(iter(following))
    loop = [start]
    while following[loop[-1]] != start:
        loop.append(following[loop[-1]])
    if len(loop) != len(following):
        raise ValueError("the mesh has more than one boundary loop")
    return loop


def _tutte(triangles: Ints, boundary: Ints, positions: Floats, count: int) -> Floats:
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    adjacency = sp.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count)).tocsr()
    adjacency = ((adjacency + adjacency.T) > 0).astype(float)
    laplacian = sp.diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency
    inner = np.setdiff1d(np.arange(count), boundary)
    uv = np.zeros((count, 2))
    uv[boundary] = positions
    uv[inner] = spsolve(laplacian[inner][:, inner].tocsc(), -laplacian[inner][:, boundary] @ positions)
    return uv


def _reference(vertices: Floats, triangles: Ints, scale: Floats) -> tuple[sp.csr_matrix, sp.csr_matrix, Floats]:
    """Gradient operators d/dx, d/dy over each triangle's own plane, and its area, at the wanted scale."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    first, second = b - a, c - a
    x_axis = first / np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    bx = np.einsum("ij,ij->i", first, x_axis) * scale
    cx = np.einsum("ij,ij->i", second, x_axis) * scale
    cy = np.linalg.norm(second - np.einsum("ij,ij->i", second, x_axis)[:, None] * x_axis, axis=1) * scale
    # Slivers would make the energy stiff: no reference triangle is thinner than a tenth of its base.
    bx = np.maximum(bx, 1e-6)
    cy = np.maximum(cy, 0.1 * bx)
    area = 0.5 * bx * cy
    zero = np.zeros_like(bx)
    gx = np.stack([-1 / bx, 1 / bx, zero], axis=1)
    gy = np.stack([(cx / bx - 1) / cy, -cx / bx / cy, 1 / cy], axis=1)
    rows = np.repeat(np.arange(len(triangles)), 3)
    shape = (len(triangles), len(vertices))
    dx = sp.csr_matrix((gx.ravel(), (rows, triangles.ravel())), shape)
    dy = sp.csr_matrix((gy.ravel(), (rows, triangles.ravel())), shape)
    return dx, dy, area


def _jacobians(dx: sp.csr_matrix, dy: sp.csr_matrix, uv: Floats) -> Floats:
    return np.stack([dx @ uv, dy @ uv], axis=-1)


def _energy(jacobians: Floats, area: Floats) -> float:
    determinant = np.linalg.det(jacobians)
    if (determinant <= 0).any():
        return float("inf")
    square = np.sum(jacobians**2, axis=(1, 2))
    return float(np.sum(area * (square + square / determinant**2)))


def _slim_step(dx: sp.csr_matrix, dy: sp.csr_matrix, area: Floats, uv: Floats, on_line: NDArray[np.bool_]) -> Floats:
    u, sigma, vt = np.linalg.svd(_jacobians(dx, dy, uv))
    flip = np.linalg.det(u @ vt) < 0
    u[flip, :, 1] *= -1
    sigma[flip, 1] *= -1
    rotation = u @ vt
    ratio = (sigma - sigma**-3) / np.where(np.abs(sigma - 1) < 1e-8, 1.0, sigma - 1)
    weight = np.sqrt(np.where(np.abs(sigma - 1) < 1e-8, 4.0, np.maximum(ratio, 1e-8)))
    w = u @ (weight[:, :, None] * np.swapaxes(u, 1, 2))
    root = np.sqrt(area)
    blocks, targets = [], []
    for row in range(2):
        for column, gradient in ((0, dx), (1, dy)):
            left = sp.diags(root * w[:, row, 0]) @ gradient
            right = sp.diags(root * w[:, row, 1]) @ gradient
            blocks.append(sp.hstack([left, right]))
            targets.append(root * np.einsum("fk,fk->f", w[:, row], rotation[:, :, column]))
    matrix, target = sp.vstack(blocks).tocsr(), np.concatenate(targets)
    count = len(uv)
    free = np.concatenate([np.flatnonzero(~on_line), count + np.arange(count)])
    system = matrix[:, free]
    current = np.concatenate([uv[:, 0], uv[:, 1]])
    normal = (system.T @ system + 1e-9 * sp.identity(len(free))).tocsc()
    solution = current.copy()
    solution[free] = spsolve(normal, system.T @ target + 1e-9 * current[free])
    return np.stack([solution[:count], solution[count:]], axis=1)


def _largest_step(triangles: Ints, uv: Floats, step: Floats) -> float:
    """The step length at which the first triangle collapses."""
    corners, moves = uv[triangles], step[triangles]
    p, q = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    dp, dq = moves[:, 1] - moves[:, 0], moves[:, 2] - moves[:, 0]

    def cross(a: Floats, b: Floats) -> Floats:
        return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])

    a, b, c = cross(dp, dq), cross(p, dq) + cross(dp, q), cross(p, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(b * b - 4 * a * c)
        candidates = np.concatenate([(-b - root) / (2 * a), (-b + root) / (2 * a), -c / b])
    positive = candidates[np.isfinite(candidates) & (candidates > 0)]
    return float(positive.min()) if positive.size else float("inf")


def unfold_half(vertices: Floats, triangles: Ints, on_line: NDArray[np.bool_], seam: Ints, scale: Floats) -> Floats:
    """Lays half a head flat.

    Args:
        vertices: (H, 3) of the half with x >= 0.
        triangles: (F, 3), a disk, counter-clockwise seen from outside.
        on_line: (H,) True for the front midline, which stays on u = 0.
        seam: the boundary's other vertices, from the midline's top end along the back to its bottom end.
        scale: (F,) wanted size of each triangle relative to its true size.

    Returns:
        (H, 2) metres, x >= 0 to the subject's left and y up.
    """
    line = np.flatnonzero(on_line)
    loop = boundary_loop(triangles)
    order = [v for v in loop if on_line[v]]
    # Rotate the loop so that the line is one run, from its bottom to its top.
    starts = [i for i, v in enumerate(loop) if on_line[v] and not on_line[loop[i - 1]]]
    if len(starts) != 1:
        raise ValueError("the front midline is not one stretch of the boundary")
    loop = loop[starts[0] :] + loop[: starts[0]]
    order, rest = loop[: len(line)], loop[len(line) :]
    if set(rest) != set(seam.tolist()):
        raise ValueError("seam and midline do not make up the boundary")
    forward = vertices[order[-1], 1] < vertices[order[0], 1]  # True: the run goes downwards
    heights = np.linspace(0.5, -0.5, len(order)) if forward else np.linspace(-0.5, 0.5, len(order))
    angles = np.linspace(-90, 90, len(rest) + 2)[1:-1] if forward else np.linspace(90, -90, len(rest) + 2)[1:-1]
    arc = np.stack([0.5 * np.cos(np.radians(angles)), 0.5 * np.sin(np.radians(angles))], axis=1)
    positions = np.concatenate([np.stack([np.zeros(len(order)), heights], axis=1), arc])
    uv = _tutte(triangles, np.array(order + rest), positions * 0.4, len(vertices))
    dx, dy, area = _reference(vertices, triangles, scale)
    energy = _energy(_jacobians(dx, dy, uv), area)
    if not np.isfinite(energy):
        raise ValueError("the Tutte embedding has flipped triangles")
    for _ in range(ITERATIONS):
        step = _slim_step(dx, dy, area, uv, on_line) - uv
        length = min(1.0, 0.8 * _largest_step(triangles, uv, step))
        while length > 1e-6:
            trial = uv + length * step
            trial_energy = _energy(_jacobians(dx, dy, trial), area)
            if trial_energy < energy:
                break
            length *= 0.6
        else:
            break
        done = energy - trial_energy < 1e-7 * energy
        uv, energy = trial, trial_energy
        if done:
            break
    return uv


def pack(half: Floats) -> Floats:
    """(H, 2) UV of the left half in 0..1: midline at u = 1/2, v downwards, the whole sheet centred in the square."""
    low, high = half[:, 1].min(), half[:, 1].max()
    width = half[:, 0].max()
    size = max(high - low, 2 * width) / (1 - 2 * MARGIN)
    return np.stack([0.5 + half[:, 0] / size, 0.5 - (half[:, 1] - (low + high) / 2) / size], axis=1)
