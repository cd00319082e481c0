from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure, probability_scale
from qcrbox.display.glb import HYDROGEN_RADIUS, ortep_glb

from ..conftest import CifMaker, aniso


def chunks(data: bytes) -> tuple[dict, bytes]:
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    found, place = {}, 12
    while place < len(data):
        size, kind = struct.unpack_from("<I4s", data, place)
        found[kind] = data[place + 8 : place + 8 + size]
        place += 8 + size
        assert place % 4 == 0
    return json.loads(found[b"JSON"]), found.get(b"BIN\0", b"")


def matrix_of(node: dict) -> np.ndarray:
    return np.array(node["matrix"]).reshape(4, 4).T


def test_the_scene_has_a_node_for_every_atom_and_bond(thpp: Structure) -> None:
    document, binary = chunks(ortep_glb(thpp.atoms))
    *parts, root = document["nodes"]
    assert len(parts) == len(thpp.atoms) + len(thpp.atoms.bonds)
    assert root["children"] == list(range(len(parts)))
    assert document["buffers"][0]["byteLength"] == len(binary)
    for view in document["bufferViews"]:
        assert view["byteOffset"] + view["byteLength"] <= len(binary)


def test_ellipsoids_have_the_principal_axes_of_the_probability(thpp: Structure) -> None:
    document, _ = chunks(ortep_glb(thpp.asymmetric_unit, 0.5))
    axes = thpp.principal_axes()
    for row, node in enumerate(document["nodes"][: len(thpp.sites)]):
        matrix = matrix_of(node)
        lengths = np.sort(np.linalg.svd(matrix[:3, :3], compute_uv=False))
        assert lengths == pytest.approx(probability_scale(0.5) * axes.rms[row], abs=1e-5)
        assert matrix[:3, 3] == pytest.approx(thpp.images.cartesian[row], abs=1e-5)
        assert np.linalg.det(matrix[:3, :3]) > 0


def test_bonds_reach_from_atom_to_atom(thpp: Structure) -> None:
    atoms = thpp.asymmetric_unit
    document, _ = chunks(ortep_glb(atoms))
    for (first, second), node in zip(atoms.bonds.tolist(), document["nodes"][len(atoms) : -1], strict=True):
        ends = [matrix_of(node) @ np.array([0, 0, z, 1]) for z in (-0.5, 0.5)]
        assert ends[0][:3] == pytest.approx(atoms.cartesian[first], abs=1e-5)
        assert ends[1][:3] == pytest.approx(atoms.cartesian[second], abs=1e-5)


def test_triangles_face_outwards(thpp: Structure) -> None:
    document, binary = chunks(ortep_glb(thpp.atoms))

    def array(index: int) -> np.ndarray:
        accessor = document["accessors"][index]
        start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
        wide = 3 if accessor["type"] == "VEC3" else 1
        kind = "<f4" if wide == 3 else "<u2"
        return np.frombuffer(binary, kind, accessor["count"] * wide, start).reshape(-1, wide)

    for mesh in document["meshes"]:
        primitive = mesh["primitives"][0]
        points, normals = (array(primitive["attributes"][name]) for name in ("POSITION", "NORMAL"))
        corners = array(primitive["indices"]).reshape(-1, 3)
        facing = np.cross(
            points[corners[:, 1]] - points[corners[:, 0]], points[corners[:, 2]] - points[corners[:, 0]]
        )
        assert (np.einsum("ij,ij->i", facing, normals[corners].mean(axis=1)) >= -1e-6).all()


def test_a_bad_tensor_is_a_red_cube_and_hydrogen_a_small_sphere(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1), ("H1", "H", 0.19, 0.1, 0.1)]
    structure = Structure.from_cif(cif(sites=sites, more=aniso([("C1", 0.03, 0.03, -0.01, 0, 0, 0)])))
    document, _ = chunks(ortep_glb(structure.atoms))
    carbon, hydrogen = document["nodes"][:2]
    assert "not positive definite" in carbon["name"]
    material = document["meshes"][carbon["mesh"]]["primitives"][0]["material"]
    assert document["materials"][material]["pbrMetallicRoughness"]["baseColorFactor"] == [0.9, 0, 0, 1]
    assert np.diag(matrix_of(hydrogen))[:3] == pytest.approx([HYDROGEN_RADIUS] * 3)


def test_an_empty_picture_is_still_a_valid_file(thpp: Structure) -> None:
    nothing = thpp.atoms.select(np.zeros(len(thpp.atoms), dtype=bool))
    document, binary = chunks(ortep_glb(nothing))
    assert binary == b""
    assert len(document["nodes"]) == 1
