// An eyeball: the UV is its frontal plane, so UV gives the point on the sphere and, with the eye's turn, the normal.
#include light.glsl
#include over_picture.glsl
uniform sampler2D u_eye;       // sRGB, over the frontal plane
uniform mat3 u_view_from_left; // the eyes look along their own +z
uniform mat3 u_view_from_right;
uniform vec3 u_left;           // centres, head frame, metres
uniform vec3 u_right;
uniform float u_radius;        // metres
uniform float u_iris;          // the iris' radius as a share of the eyeball's
varying vec3 v_position;
varying vec3 v_head;
varying vec2 v_uv;
varying vec4 v_mask;

void main() {
    float left = step(0.5, v_mask.x);
    mat3 view_from_eye = u_view_from_right * (1.0 - left) + u_view_from_left * left;
    vec3 centre = mix(u_right, u_left, left);
    vec3 v = to_viewer(v_position);
    vec2 p = vec2(v_uv.x - 0.5, 0.5 - v_uv.y) * 2.0;
    float r2 = dot(p, p);
    vec3 local = vec3(p, sqrt(max(1.0 - r2, 0.0)));
    float r = sqrt(r2);
    float cornea = 1.0 - smoothstep(u_iris * 0.95, u_iris * 1.22, r);
    vec3 n = view_from_eye * normalize(local);
    // The cornea is a smaller sphere in front of the eyeball.
    vec3 wet = view_from_eye * normalize(vec3(p * mix(1.0, 1.75, cornea), local.z));

    // The iris lies behind the cornea: seen from the side it shifts.
    vec3 seen = v * view_from_eye;
    vec2 shift = seen.xy / max(seen.z, 0.35) * (0.085 * cornea * (1.0 - r2 / (u_iris * u_iris * 1.5)));
    vec2 at = (p - shift) * vec2(0.5, -0.5) + 0.5;
    vec3 albedo = from_srgb(texture2D(u_eye, at).rgb);

    // Lids and brow keep light off the ball: from above most.
    vec3 offset = (v_head - centre) / u_radius;
    float shade = 1.0 - 0.80 * smoothstep(-0.06, 0.40, offset.y) - 0.25 * smoothstep(0.10, -0.5, offset.y) * 0.6
                  - 0.40 * smoothstep(0.35, 0.80, abs(offset.x));
    shade = clamp(shade, 0.12, 1.0);
    // The iris is a bowl: the side away from the light catches it.
    vec3 bowl = mix(n, normalize(view_from_eye * vec3(-p * 1.3, 1.0)), cornea * 0.75);
    vec3 diffuse = u_key_light * wrapped(dot(bowl, u_key_direction), vec3(0.45, 0.38, 0.35)) * 0.80
                 + u_fill_light * wrapped(dot(bowl, u_fill_direction), vec3(0.4))
                 + sky_light(n);
    vec3 colour = albedo * diffuse * shade;

    vec3 h = normalize(u_key_direction + v);
    float ndh = clamp(dot(wet, h), 0.0, 1.0);
    float glint = smoothstep(0.9895, 0.9930, ndh) * 1.15 + power64(ndh) * 0.05;
    // The fill's lamp is large and stands nearer to the viewer than its light seems to come from.
    vec3 h2 = normalize(normalize(u_fill_direction + vec3(-0.17, 0.165, 0.125)) + v);
    vec3 shine = u_key_light * glint + u_fill_light * (smoothstep(0.9945, 0.9972, dot(wet, h2)) * 1.15);
    vec3 mirror = reflect(-v, wet);
    float f = fresnel(dot(wet, v), 0.025);
    colour += shine * mix(0.30, 0.62, cornea) * mix(shade, 1.0, 0.5)
            + sky_light(mirror) * f * 0.8 * shade;
    gl_FragColor = output_colour(developed(colour), 1.0);
}
