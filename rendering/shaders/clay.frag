// Form alone: one grey, raking light, cavities dark. With TENSION the colour is the skin's tension, with CORNERS the
// mesh is drawn on it.
#include light.glsl
#include bump.glsl
#include over_picture.glsl
uniform vec3 u_clay;           // linear
varying vec3 v_position;
#ifdef DISPLACED
varying vec3 v_base;
#else
#define v_base v_position
#endif
varying vec3 v_normal;
varying vec2 v_uv;
varying vec4 v_mask;
varying vec3 v_soft;
varying vec4 v_half;
#ifdef TENSION
varying float v_tension;

vec3 tension_colour(float t) {
    // Diverging blue - pale - red, even in lightness; full colour at 0.3, where expressions end.
    float s = clamp(t / 0.3, -1.0, 1.0);
    float a = sqrt(abs(s));
    vec3 pale = vec3(0.80, 0.79, 0.77);
    vec3 end = s > 0.0 ? vec3(0.72, 0.045, 0.035) : vec3(0.03, 0.13, 0.66);
    vec3 middle = s > 0.0 ? vec3(0.92, 0.42, 0.26) : vec3(0.30, 0.55, 0.86);
    return a < 0.6 ? mix(pale, middle, a / 0.6) : mix(middle, end, (a - 0.6) / 0.4);
}
#endif
#ifdef CORNERS
uniform vec3 u_line;           // linear
varying vec3 v_corner;
#endif

void main() {
    vec3 smooth_n = normalize(v_normal);
    vec3 n = bumped(smooth_n, v_base, v_uv);
    vec3 base = u_clay;
#ifdef TENSION
    base = tension_colour(v_tension) * 0.62;
#endif
    float key = dot(n, u_key_direction);
    vec3 diffuse = u_key_light * wrapped(key, vec3(0.12)) * mix(0.2, 1.0, v_mask.w)
                 + v_soft * relief(n - smooth_n);
    float gloss = power16(max(dot(n, v_half.xyz), 0.0)) * 0.045 * v_mask.w;
    vec3 shown = developed(base * diffuse + u_key_light * gloss);
    float face = v_mask.z;
#ifdef CORNERS
    vec3 width = fwidth(v_corner) * 1.15;
    vec3 line = smoothstep(vec3(0.0), width, v_corner);
    vec3 v = to_viewer(v_position);
    float on = 1.0 - min(line.x, min(line.y, line.z));
    // Lines closer than two pixels fade, otherwise dense parts turn solid.
    on *= clamp(0.55 / max(width.x, max(width.y, width.z)), 0.25, 1.0);
#ifdef OVER_PICTURE
    shown = to_srgb(u_line);
    face *= on;
    if (u_face_only < 0.5) face = on * 0.75;
    vec2 at = (gl_FragCoord.xy - u_window.xy) / u_window.zw;
    vec3 picture = texture2D(u_picture, vec2(0.5 + (at.x - 0.5) * u_mirror, 1.0 - at.y)).rgb;
    float facing = clamp(dot(n, v), 0.0, 1.0);
    gl_FragColor = vec4(mix(picture, shown, u_opacity * face * (0.35 + 0.65 * facing)), 1.0);
    return;
#else
    shown = mix(shown * 0.55, to_srgb(u_line), on * (0.35 + 0.65 * clamp(dot(n, v), 0.0, 1.0)));
#endif
#endif
    gl_FragColor = output_colour(shown, face);
}
