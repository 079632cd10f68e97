"""Imports an exported GLB or USD into Blender, says what arrived, and renders a frame.

    blender --background --factory-startup --python docs/scripts/import_in_blender.py -- head.glb out.png [frame]

With Blender as a Python module (`pip install bpy`): python docs/scripts/import_in_blender.py -- head.usdc out.png

Tried with Blender 3.4.1 of Debian 12, whose build has no USD, and with bpy 5.0.1; what they said is in docs/exports.md.
"""

import math
import sys

import bpy
import numpy as np
from mathutils import Vector

if np.__version__.startswith("1.") and "bool" not in vars(np):
    # The glTF importer of Debian 12's Blender asks for a name that its NumPy no longer has.
    np.bool = bool

source, picture = sys.argv[sys.argv.index("--") + 1 :][:2]
frame = int((sys.argv[sys.argv.index("--") + 3 :] or ["40"])[0])

bpy.ops.object.select_all(action="SELECT")
bpy.ops.object.delete()
if source.endswith((".glb", ".gltf")):
    bpy.ops.import_scene.gltf(filepath=source)
else:
    bpy.ops.wm.usd_import(filepath=source, scale=1.0)

scene = bpy.context.scene
for item in bpy.data.objects:
    keys = item.data.shape_keys if item.type == "MESH" else None
    shapes = len(keys.key_blocks) - 1 if keys else 0
    moving = bool(item.animation_data and item.animation_data.action)
    caches = [m.type for m in [*item.modifiers, *item.constraints]]
    print(f"object {item.name}: {item.type}, {shapes} shape keys, animated: {moving}, caches: {caches}")
for key in bpy.data.shape_keys:
    action = key.animation_data.action if key.animation_data else None
    curves = 0
    if action:
        # Since version 4.4 curves lie in layers.
        layered = hasattr(action, "layers") and action.layers
        bags = action.layers[0].strips[0].channelbags if layered else [action]
        curves = max(len(bag.fcurves) for bag in bags)
    print(f"shape keys of {key.user.name}: {curves} animated, first names {[k.name for k in key.key_blocks[1:4]]}")
    if action:
        print(f"frames {action.frame_range[0]:g} to {action.frame_range[1]:g} at {scene.render.fps} frames/s")

scene.frame_set(frame)
meshes = [o for o in bpy.data.objects if o.type == "MESH"]
depsgraph = bpy.context.evaluated_depsgraph_get()
corners = [
    o.evaluated_get(depsgraph).matrix_world @ Vector(c) for o in meshes for c in o.evaluated_get(depsgraph).bound_box
]
middle = sum(corners, Vector()) / len(corners)
jaw = next((k.key_blocks.get("jawOpen") for k in bpy.data.shape_keys), None)
print(
    f"frame {frame}: middle of the head {tuple(round(v, 4) for v in middle)}, jawOpen {jaw.value if jaw else 'no key'}"
)

camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
scene.collection.objects.link(camera)
# Blender turns y up into z up: the face looks along -y.
camera.location = middle + Vector((0.12, -0.75, 0.02))
camera.rotation_euler = (middle - camera.location).to_track_quat("-Z", "Y").to_euler()
camera.data.lens = 65
scene.camera = camera
sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
sun.data.energy = 3.0
sun.rotation_euler = (math.radians(50), 0, math.radians(-35))
scene.collection.objects.link(sun)
scene.render.engine = "CYCLES"
scene.cycles.samples = 24
scene.cycles.use_denoising = False
scene.render.resolution_x = scene.render.resolution_y = 420
scene.render.filepath = picture
bpy.ops.render.render(write_still=True)
