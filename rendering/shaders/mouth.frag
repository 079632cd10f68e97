// Teeth and tongue: wet, and darker the deeper they lie in the mouth.
#include light.glsl
#include over_picture.glsl
uniform vec3 u_teeth;          // linear
uniform vec3 u_tongue;
uniform float u_opening;      // 0 closed lips, 1 open
uniform vec2 u_depth;          // metres, head frame: dark at the first, light at the second
varying vec3 v_position;
varying vec3 v_normal;
varying vec3 v_head;
varying vec2 v_uv;             // of teeth: counted along the arch, and 0 at the edge to 1 at the root
varying vec4 v_mask;

void main() {
    vec3 v = to_viewer(v_position);
    vec3 n = normalize(v_normal);
    if (dot(n, v) < 0.0) n = -n;
    float gap = abs(fract(v_uv.x) - 0.5) * 2.0;
    float spread = min(fwidth(v_uv.x) * 3.0, 1.0);
    float between = smoothstep(0.80 - spread * 0.4, 1.0, gap) * (1.0 - spread * 0.5);
    vec3 enamel = u_teeth * (1.0 - 0.55 * between) * mix(vec3(0.94, 0.97, 1.0), vec3(1.0, 0.95, 0.86), v_uv.y);
    float gum = smoothstep(0.60, 0.68, v_uv.y + 0.10 * gap * gap);
    vec3 base = mix(mix(enamel, u_tongue * 1.25, gum), u_tongue, v_mask.x);

    // The lips open and close over them, so the light that reached them in the resting mouth is only a hint; what
    // always holds is that light fades with depth behind the lips.
    float open = mix(0.50, 1.0, v_mask.w) * mix(0.10, 1.0, sqrt(u_opening)) * mix(0.10, 1.0, smoothstep(u_depth.x, u_depth.y, v_head.z));
    vec3 diffuse = u_key_light * wrapped(dot(n, u_key_direction), vec3(0.35, 0.28, 0.25)) * 0.8
                 + u_fill_light * wrapped(dot(n, u_fill_direction), vec3(0.4))
                 + sky_light(n);
    vec3 h = normalize(u_key_direction + v);
    float ndh = clamp(dot(n, h), 0.0, 1.0);
    vec3 gloss = u_key_light * power64(ndh) * 0.16;
    gl_FragColor = output_colour(developed((base * diffuse + gloss) * open), 1.0);
}
