// Vertices of every part of the head.
#ifdef SURFACE
#include light.glsl
#endif
uniform mat4 u_view_from_head;
uniform mat4 u_clip_from_view;
uniform float u_hair;          // metres of hair at height 1 (1 where heights are metres); 0 shows the bare scalp

attribute vec3 a_position;     // head frame, metres
attribute vec3 a_normal;
attribute vec2 a_uv;
attribute float a_fade;        // 0 at the neck's open end, 1 away from it
attribute vec4 a_mask;         // lips (of an eye: the left one; in the mouth: tongue), scalp, face, light from around
#ifdef HAIR
attribute vec4 a_hair;         // gradient of the hair's height along the surface, height: of the thickness, or metres
attribute vec3 a_rest;         // place on the mean face: what strands are laid out on
#endif
#ifdef TENSION
attribute float a_tension;
#endif
#ifdef CORNERS
attribute vec3 a_corner;       // barycentrics of an unindexed triangle
#endif
#ifdef DISPLACED
uniform sampler2D u_displacement;  // millimetres
uniform float u_bump;
#endif

#ifdef DISPLACED
varying vec3 v_base;           // view frame, without displacement: what derivative frames are taken from
#endif
varying vec3 v_position;       // view frame
varying vec3 v_normal;
varying vec3 v_head;           // head frame
varying vec2 v_uv;
varying vec4 v_mask;
#ifdef FADE
varying float v_fade;
#endif
#ifdef SURFACE
// Light that changes slowly is found per vertex: the mesh is finer than it, and pixels are what costs.
varying vec3 v_soft;           // fill, rim and sky
varying vec3 v_sheen;          // what the surface mirrors at grazing angles
varying vec4 v_half;           // half-way vector of the key light, and Fresnel's share for it
#endif
#ifdef HAIR
varying vec3 v_strand;         // sideways and forwards of the crown's axis, and angle down from it
varying vec3 v_flow;           // view frame: along the strands
varying vec3 v_across;         // view frame: across them

const vec3 SKULL_CENTRE = vec3(0.0, 0.02, -0.070);
const vec3 CROWN = vec3(0.100, 0.830, -0.549);   // unit
const float PLAIN_CAP = 0.011;                   // metres
#endif
#ifdef TENSION
varying float v_tension;
#endif
#ifdef CORNERS
varying vec3 v_corner;
#endif

void main() {
    vec3 position = a_position;
    vec3 normal = a_normal;
#ifdef HAIR
    // The normal of a surface moved out by h along n leans back by the gradient of h.
    float lift = a_hair.w * u_hair;
    position += normal * lift;
    normal = normalize(normal - a_hair.xyz * u_hair);
    // Strands run from the crown down the skull.
    vec3 outward = normalize(a_rest - SKULL_CENTRE);
    vec3 side = normalize(cross(CROWN, vec3(0.0, 0.0, 1.0)));
    v_strand = vec3(dot(outward, side), dot(outward, cross(side, CROWN)), acos(clamp(dot(outward, CROWN), -1.0, 1.0)));
    v_flow = mat3(u_view_from_head) * (outward * dot(outward, CROWN) - CROWN);
    v_across = mat3(u_view_from_head) * cross(outward, CROWN);
#endif
#ifdef DISPLACED
    v_base = (u_view_from_head * vec4(position, 1.0)).xyz;
    position += normal * (texture2DLod(u_displacement, a_uv, 0.0).r * 0.001 * u_bump);
#endif
    vec4 view = u_view_from_head * vec4(position, 1.0);
    v_position = view.xyz;
    v_normal = mat3(u_view_from_head) * normal;
    v_head = position;
    v_uv = a_uv;
    v_mask = a_mask;
#ifdef HAIR
    // What is lifted as high as a plain cap is hair, however near to the hairline it grows.
    v_mask.y = max(v_mask.y, min(lift / PLAIN_CAP, 1.0));
#endif
#ifdef FADE
    v_fade = a_fade;
#endif
#ifdef TENSION
    v_tension = a_tension;
#endif
#ifdef CORNERS
    v_corner = a_corner;
#endif
#ifdef SURFACE
    vec3 n = normalize(v_normal);
    vec3 v = to_viewer(view.xyz);
    float open = mix(0.05, 1.0, a_mask.w);
    float back = rim(n, 0.0);
    // Light that comes back from deep folds has been through skin: redder.
    v_soft = (u_fill_light * wrapped(dot(n, u_fill_direction), vec3(0.40, 0.30, 0.25))
              + sky_light(n) * mix(vec3(1.12, 0.97, 0.92), vec3(1.0), open)
              + u_rim_light * (back * 0.55)) * open;
    v_sheen = (sky_light(reflect(-v, n)) * 0.40 + u_rim_light * (0.20 * back))
              * (fresnel(dot(n, v), 0.0) * open);
    vec3 h = normalize(u_key_direction + v);
    v_half = vec4(h, fresnel(dot(h, v), 0.028));
#endif
    gl_Position = u_clip_from_view * view;
}
