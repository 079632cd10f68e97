// Lashes are cards seen from both sides; strands and their tips are cut out in the shader.
#include light.glsl
uniform vec3 u_lash_colour;    // linear
varying vec2 v_uv;             // along the lid in strands, from root (0) to tip (1)
varying vec4 v_mask;

float random(float n) {
    return fract(sin(n * 12.9898) * 43758.5453);
}

void main() {
    // Beyond 1000: the lower lid, whose lashes are short and thin.
    float lower = step(1000.0, v_uv.x);
    float along = v_uv.x - 1000.0 * lower;
    float number = floor(along + v_uv.y * 0.35);
    float strand = abs(fract(along + v_uv.y * 0.35) - 0.5) * 2.0;
    float reach = mix(0.55 + 0.45 * random(number), 0.30 + 0.35 * random(number), lower);
    float t = v_uv.y / reach;
    float spread = fwidth(along);
    // Strands finer than a pixel melt into an even veil.
    float cut = mix(1.0 - smoothstep(0.70 - t * 0.55, 0.95 - t * 0.55, strand), 0.58 * (1.0 - t * 0.7),
                    clamp(spread * 1.4, 0.0, 1.0));
    float alpha = clamp(cut * (1.0 - smoothstep(0.5, 1.0, t)), 0.0, 1.0) * mix(0.95, 0.5, lower);
    vec3 light = sky_light(vec3(0.0, 1.0, 0.0)) + u_fill_light * 0.5;
    gl_FragColor = vec4(developed(u_lash_colour * light), alpha);
}
