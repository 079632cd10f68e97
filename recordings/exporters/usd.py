"""USD: the head's mesh with time samples, as Blender, Houdini, Omniverse and usdview read it."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from recordings.exporters.base import ExportError, Job, part_folder
from recordings.exporters.parts import HeadParts
from recordings.exporters.poses import camera_of, posed_frames

__all__ = ["export_usd"]

MISSING = "USD needs the extra `usd`: pip install 'mien[usd]'."


def export_usd(job: Job) -> None:
    """One `.usdc` (or `.usda`, `.usd`), textures beside it in `NAME_textures`.

    A stage in metres, y up: `/Head` moves, its meshes have time-sampled points in the head frame (so that everything
    that moves is there whatever the reader supports), the 52 channels are time-sampled custom attributes of `/Head`
    (`arkit:jawOpen` ...), and `/Camera` is the camera that was tracked with. Frames without a face hold the last
    values and have `valid` false.

    Raises:
        ExportError: usd-core is not installed, or nothing can be exported.
    """
    try:
        from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, Vt
    except ImportError as error:
        raise ExportError(MISSING) from error
    from models.channels import ARKIT_CHANNELS

    _, fps = job.even_track()
    track = job.animation(even=True)
    parts = HeadParts(job.model(), refine=int(job.options.wrinkles))
    suffix = job.out.suffix if job.out.suffix in (".usd", ".usda", ".usdc") else ".usdc"
    textures = job.out.with_name(f"{job.out.stem}_textures")
    if textures.exists():
        if not _ours(textures):
            raise ExportError(f"{textures}, where the textures go, is not empty: choose another name for the export.")
        shutil.rmtree(textures)
    with part_folder(textures) as folder:
        for part in parts.parts:
            cv2.imwrite(str(folder / f"{part.name}.png"), np.ascontiguousarray(part.texture[..., ::-1]))
        temporary = folder / f"stage{suffix}"
        stage = Usd.Stage.CreateNew(str(temporary))
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        stage.SetTimeCodesPerSecond(fps)
        stage.SetFramesPerSecond(fps)
        stage.SetStartTimeCode(0)
        stage.SetEndTimeCode(len(track) - 1)
        head = UsdGeom.Xform.Define(stage, "/Head")
        stage.SetDefaultPrim(head.GetPrim())
        place, turn = head.AddTranslateOp(), head.AddOrientOp()
        valid = head.GetPrim().CreateAttribute("valid", Sdf.ValueTypeNames.Bool)
        channels = [
            head.GetPrim().CreateAttribute(f"arkit:{name}", Sdf.ValueTypeNames.Float) for name in ARKIT_CHANNELS
        ]
        meshes = []
        for part in parts.parts:
            mesh = UsdGeom.Mesh.Define(stage, f"/Head/{part.name}")
            mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(part.faces), 3, np.int32)))
            mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(np.ascontiguousarray(part.faces.reshape(-1))))
            mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
            uv = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
                "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex
            )
            uv.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(part.uv * (1, -1) + (0, 1), np.float32)))
            mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
            UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(
                _material(stage, part.name, f"./{textures.name}/{part.name}.png")
            )
            meshes.append(mesh)
        for frame in posed_frames(job, track, parts.model):
            at = Usd.TimeCode(frame.row)
            place.Set(Gf.Vec3d(*frame.place.tolist()), at)
            w, x, y, z = track.quaternion[frame.row].tolist()
            turn.Set(Gf.Quatf(w, x, y, z), at)
            valid.Set(bool(track.valid[frame.row]), at)
            for attribute, value in zip(channels, track.expression[frame.row].tolist(), strict=True):
                attribute.Set(value, at)
            for part, mesh in zip(parts.parts, meshes, strict=True):
                points, normals = part.points(frame.posed.vertices), part.points(frame.posed.normals)
                if part.name == "skin" and frame.displacement is not None:
                    relief = parts.skin.relief(frame.displacement)
                    points, normals = parts.skin.raised(frame.posed.vertices, frame.posed.normals, relief)
                mesh.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(points)), at)
                mesh.GetNormalsAttr().Set(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(normals)), at)
                extent = np.stack([points.min(0), points.max(0)]).astype(np.float32)
                mesh.GetExtentAttr().Set(Vt.Vec3fArray.FromNumpy(extent), at)
        camera = UsdGeom.Camera.Define(stage, "/Camera")
        seen = camera_of(track)
        # USD measures aperture and focal length in the same (tenths of scene) unit; only their ratio counts here.
        camera.CreateHorizontalApertureAttr(36.0)
        camera.CreateVerticalApertureAttr(36.0 * seen.height / seen.width)
        camera.CreateFocalLengthAttr(36.0 * seen.focal / seen.width)
        camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 100.0))
        stage.GetRootLayer().Save()
        del stage
    _move_out(textures / temporary.name, job.out)


def _material(stage, name: str, texture: str):  # type: ignore[no-untyped-def]
    from pxr import Sdf, UsdShade

    material = UsdShade.Material.Define(stage, f"/Head/materials/{name}")
    surface = UsdShade.Shader.Define(stage, f"/Head/materials/{name}/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(0.6)
    reader = UsdShade.Shader.Define(stage, f"/Head/materials/{name}/st")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    picture = UsdShade.Shader.Define(stage, f"/Head/materials/{name}/picture")
    picture.CreateIdAttr("UsdUVTexture")
    picture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(texture)
    picture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
    result = reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    picture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(result)
    colour = picture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(colour)
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    return material


def _ours(folder: Path) -> bool:
    """Whether the folder holds nothing but pictures of an earlier export, so that it may be replaced."""
    return folder.is_dir() and all(path.suffix == ".png" for path in folder.iterdir())


def _move_out(stage: Path, out: Path) -> None:
    try:
        stage.replace(out)
    except OSError as error:
        raise ExportError(f"The file {out} cannot be written ({error.strerror or error}): is the disk full?") from error
