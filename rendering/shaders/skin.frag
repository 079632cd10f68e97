// Skin, and with HAIR also the hair cap that grows from it.
#include light.glsl
#include bump.glsl
#include over_picture.glsl
uniform sampler2D u_albedo;    // sRGB
#ifdef PHOTOGRAPH
uniform float u_lit_texture;   // 1: the texture is a photograph that carries its own light
uniform vec3 u_drawn_light;    // white under the usual light
#endif
#ifdef HAIR
uniform sampler2D u_strands;
uniform vec3 u_hair_colour;    // linear
#endif
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
varying vec3 v_sheen;
varying vec4 v_half;
#ifdef HAIR
varying vec3 v_strand;
varying vec3 v_flow;
varying vec3 v_across;

vec3 hair(vec3 skin, vec3 n, vec3 v) {
    float around = atan(v_strand.x, v_strand.y) / 6.2831853;
    float down = v_strand.z;
    float wave = down * 0.05 + 0.012 * sin(down * 9.0 + around * 40.0);
    vec4 lock = texture2D(u_strands, vec2(around * 3.0 + wave, down * 0.22));
    vec4 strand = texture2D(u_strands, vec2(around * 11.0 + wave * 3.0, down * 0.45));
    float depth = lock.r * 0.55 + strand.g * 0.45;

    vec3 bent = normalize(n + v_across * ((lock.b - 0.5) * 1.1));
    vec3 t = normalize(v_flow - bent * dot(v_flow, bent) + bent * ((depth - 0.5) * 0.35));
    float th = dot(t, v_half.xyz);
    float tl = dot(t, u_key_direction);
    float ndl = dot(bent, u_key_direction);
    float facing = clamp(ndl * 0.65 + 0.35, 0.0, 1.0);
    float shine = sqrt(max(1.0 - th * th, 0.0));
    float s4 = shine * shine; s4 *= s4;
    float s16 = s4 * s4; s16 *= s16;
    float s64 = s16 * s16; s64 *= s64;
    float occlusion = v_mask.w * mix(0.35, 1.15, depth);
    vec3 base = u_hair_colour * mix(0.55, 1.35, strand.r);
    vec3 lit = base * (u_key_light * (facing * sqrt(max(1.0 - tl * tl, 0.0)) * 0.85)
                       + u_fill_light * (clamp(dot(bent, u_fill_direction) * 0.6 + 0.4, 0.0, 1.0))
                       + sky_light(bent) * 1.5) * occlusion;
    lit += u_key_light * facing * depth * (s64 * 0.075 * (u_hair_colour * 2.0 + 0.12)
                                                       + s16 * 0.10 * u_hair_colour * 2.0) * v_mask.w;
    float edge = 1.0 - clamp(dot(n, v), 0.0, 1.0);
    lit += u_rim_light * (base * 1.6 + 0.01) * edge * edge * edge
           * rim(n, 0.25) * depth;
    // The hairline: strands reach into the skin unevenly, and shade it.
    float grown = v_mask.y + (strand.g - 0.5) * 0.55 + (lock.r - 0.5) * 0.30 + (lock.a - 0.5) * 0.30;
    skin = mix(skin, skin * mix(vec3(0.62), u_hair_colour * 1.5, 0.35), smoothstep(0.08, 0.50, v_mask.y));
    return mix(skin, lit, smoothstep(0.34, 0.70, grown));
}
#endif

void main() {
    vec3 smooth_n = normalize(v_normal);
    vec3 n = bumped(smooth_n, v_base, v_uv);
    vec3 albedo = from_srgb(texture2D(u_albedo, v_uv).rgb);
    float open = v_mask.w;
    float key = dot(n, u_key_direction);
    // Light that enters beside the shadow's edge leaves red: a wider wrap for red than for blue.
    vec3 diffuse = u_key_light * wrapped(key, vec3(0.34, 0.17, 0.11)) * mix(0.3, 1.0, open)
                 + v_soft * relief(n - smooth_n);

    float broad = power16(max(dot(n, v_half.xyz), 0.0));
    float tight = broad * broad; tight *= tight;
    float lit = clamp(key * 4.0 + 0.2, 0.0, 1.0) * open * v_half.w;
    vec3 colour = albedo * diffuse + u_key_light * ((broad * 1.1 + tight * mix(3.0, 6.5, v_mask.x)) * lit) + v_sheen;
#ifdef HAIR
    vec3 v = to_viewer(v_position);
    colour = hair(colour, smooth_n, v);
#endif
    vec3 shown = developed(colour);
#ifdef PHOTOGRAPH
    // A photograph is lit already: the scene's light tints it, and the relief of the displacement shades it further.
    vec3 plain = albedo * u_drawn_light * (1.0 + 0.9 * (key - dot(smooth_n, u_key_direction)));
#ifdef HAIR
    plain = hair(plain, smooth_n, v);
#endif
    shown = mix(shown, to_srgb(plain), u_lit_texture);
#endif
    gl_FragColor = output_colour(shown, v_mask.z);
}
