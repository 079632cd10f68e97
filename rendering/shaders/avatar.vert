// Vertices of a third-party avatar: morphed and skinned already.
#ifdef LIT
#include light.glsl
#endif
uniform mat4 u_view_from_avatar;
uniform mat4 u_clip_from_view;

attribute vec3 a_position;     // avatar's space
attribute vec3 a_normal;
attribute vec2 a_uv;           // of the base texture
#ifdef MORE_UV
attribute vec4 a_uv_more;      // of normal map and emissive map
#endif

varying vec3 v_position;       // view frame
varying vec3 v_normal;
varying vec2 v_uv;
#ifdef MORE_UV
varying vec4 v_uv_more;
#endif
#ifdef LIT
// Light that changes slowly is found per vertex: pixels are what costs.
varying vec3 v_soft;           // fill, rim and sky
varying vec3 v_half;           // half-way vector of the key light
#endif

void main() {
    vec4 view = u_view_from_avatar * vec4(a_position, 1.0);
    v_position = view.xyz;
    v_normal = mat3(u_view_from_avatar) * a_normal;
    v_uv = a_uv;
#ifdef MORE_UV
    v_uv_more = a_uv_more;
#endif
#ifdef LIT
    vec3 n = normalize(v_normal);
    vec3 v = to_viewer(view.xyz);
    // The far side of a sheet is lit as the side that is seen.
    if (dot(n, v) < 0.0) n = -n;
    v_soft = u_fill_light * wrapped(dot(n, u_fill_direction), vec3(0.35))
           + sky_light(n)
           + u_rim_light * (0.40 * rim(n, 0.0));
    v_half = normalize(u_key_direction + v);
#endif
    gl_Position = u_clip_from_view * view;
}
