// The surface of a third-party avatar: physical (LIT), two-toned (TOON), or as it is.
#include light.glsl
uniform vec4 u_base;           // linear
uniform float u_cutoff;
uniform vec3 u_emissive;       // linear
uniform float u_roughness;
uniform float u_metallic;
uniform vec2 u_gloss;          // sharpness and strength of the highlight
#ifdef BASE_MAP
uniform sampler2D u_base_map;
#endif
#ifdef NORMAL_MAP
uniform sampler2D u_normal_map;
uniform float u_normal_scale;
#endif
#ifdef EMISSIVE_MAP
uniform sampler2D u_emissive_map;
#endif
#ifdef TOON
uniform vec3 u_toward;         // unit, view frame: between the key light and the viewer
uniform vec3 u_drawn_light;    // white under the usual light
uniform vec3 u_shade;          // linear, times the base texture
uniform vec2 u_ramp;           // where the light side begins and where it is full, cosine
#endif
varying vec3 v_position;
varying vec3 v_normal;
varying vec2 v_uv;
#ifdef LIT
varying vec3 v_soft;
varying vec3 v_half;
#endif
#ifdef MORE_UV
varying vec4 v_uv_more;
#define NORMAL_UV v_uv_more.xy
#define EMISSIVE_UV v_uv_more.zw
#else
#define NORMAL_UV v_uv
#define EMISSIVE_UV v_uv
#endif

#ifdef NORMAL_MAP
vec3 mapped(vec3 n) {
    // The tangent frame comes from the screen's derivatives (C. Schueler, "Followup: Normal Mapping Without Precomputed
    // Tangents", 2013): files need no tangents then, and skinning does not have to turn them.
    vec3 along_x = dFdx(v_position);
    vec3 along_y = dFdy(v_position);
    vec2 uv_x = dFdx(NORMAL_UV);
    vec2 uv_y = dFdy(NORMAL_UV);
    vec3 across_y = cross(along_y, n);
    vec3 across_x = cross(n, along_x);
    vec3 t = across_y * uv_x.x + across_x * uv_y.x;
    // v runs down in glTF, and the map's green points up.
    vec3 b = -(across_y * uv_x.y + across_x * uv_y.y);
    float longest = max(dot(t, t), dot(b, b));
    if (longest < 1e-20) return n;
    vec3 m = texture2D(u_normal_map, NORMAL_UV).xyz * 2.0 - 1.0;
    m.xy *= u_normal_scale;
    return normalize((t * m.x + b * m.y) * inversesqrt(longest) + n * max(m.z, 0.05));
}
#endif

void main() {
    vec4 base = u_base;
    vec3 tint = vec3(1.0);
#ifdef BASE_MAP
    vec4 texel = texture2D(u_base_map, v_uv);
    tint = from_srgb(texel.rgb);
    base *= vec4(tint, texel.a);
#endif
#ifdef CUT
    if (base.a < u_cutoff) discard;
#endif
    vec3 n = normalize(v_normal);
    if (!gl_FrontFacing) n = -n;
    vec3 smooth_n = n;
#ifdef NORMAL_MAP
    n = mapped(n);
#endif
    vec3 emissive = u_emissive;
#ifdef EMISSIVE_MAP
    emissive *= from_srgb(texture2D(u_emissive_map, EMISSIVE_UV).rgb);
#endif
#ifdef LIT
    float key = dot(n, u_key_direction);
    vec3 v = to_viewer(v_position);
    vec3 diffuse = u_key_light * wrapped(key, vec3(0.22, 0.17, 0.14)) + v_soft * relief(n - smooth_n);
    // The roughness' lobe, in C. Schlick's form without a power ("A Fast Alternative to Phong's Specular Model", 1994).
    float h = clamp(dot(n, normalize(v_half)), 0.0, 1.0);
    float gloss = h / (u_gloss.x - u_gloss.x * h + h) * u_gloss.y * clamp(key, 0.0, 1.0);
    vec3 straight = mix(vec3(0.04), base.rgb, u_metallic);
    float away = fresnel(dot(n, v), 0.0) * (1.0 - u_roughness * 0.8);
    vec3 mirror = sky_light(reflect(-v, n)) * (1.6 * u_metallic + away);
    vec3 light = base.rgb * (1.0 - u_metallic * 0.9) * diffuse
               + u_key_light * min(gloss, 6.0) * straight
               + mirror * mix(vec3(1.0), base.rgb, u_metallic);
    vec3 shown = developed(light + emissive);
#else
#ifdef TOON
    // A drawn face is lit softly: light from the viewer's side keeps the shadow off most of it.
    float lit = clamp((dot(n, u_toward) - u_ramp.x) / max(u_ramp.y - u_ramp.x, 0.02), 0.0, 1.0);
    vec3 colour = mix(u_shade * tint, base.rgb, lit);
    float edge = 1.0 - clamp(dot(n, to_viewer(v_position)), 0.0, 1.0);
    colour = colour * u_drawn_light + base.rgb * (u_rim_light * (0.25 * rim(n, 0.0) * edge * edge));
    vec3 shown = to_srgb(min(colour + emissive, 1.0));
#else
    vec3 shown = to_srgb(min(base.rgb + emissive, 1.0));
#endif
#endif
#ifdef SEEN_THROUGH
    gl_FragColor = vec4(shown, base.a);
#else
    gl_FragColor = vec4(shown, 1.0);
#endif
}
