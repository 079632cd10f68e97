// Light in the view frame: key, fill, two rims and what comes from around. Colours are linear.
uniform vec3 u_key_direction;  // unit
uniform vec3 u_fill_direction;
uniform vec3 u_rim_direction;  // and its mirror image
uniform vec3 u_key_light;      // colour and strength; black where a light is off
uniform vec3 u_fill_light;
uniform vec3 u_rim_light;
uniform vec4 u_sky_red;        // spherical harmonics of two bands: x, y, z, even
uniform vec4 u_sky_green;
uniform vec4 u_sky_blue;
uniform float u_perspective;   // 1: lines of sight meet in the camera, 0: they are parallel

vec3 to_viewer(vec3 position) {
    return mix(vec3(0.0, 0.0, 1.0), normalize(-position), u_perspective);
}

vec3 sky_light(vec3 n) {
    vec4 at = vec4(n, 1.0);
    return max(vec3(dot(u_sky_red, at), dot(u_sky_green, at), dot(u_sky_blue, at)), 0.0);
}

vec3 wrapped(float cosine, vec3 wrap) {
    return clamp((cosine + wrap) / ((1.0 + wrap) * (1.0 + wrap)), 0.0, 1.0);
}

float fresnel(float cosine, float straight) {
    float away = 1.0 - clamp(cosine, 0.0, 1.0);
    float squared = away * away;
    return straight + (1.0 - straight) * squared * squared * away;
}

vec3 from_srgb(vec3 c) {
    // Cubic fit to the sRGB curve (C. Taylor, 2010), within 0.003.
    return c * (c * (c * 0.305306011 + 0.682171111) + 0.012522878);
}

vec3 to_srgb(vec3 c) {
    // Fit with square roots alone (C. Taylor, 2010).
    c = max(c, 0.0);
    vec3 s1 = sqrt(c);
    vec3 s2 = sqrt(s1);
    return 0.585122381 * s1 + 0.783140355 * s2 - 0.368262736 * sqrt(s2);
}

vec3 developed(vec3 light) {
    // Film curve with sRGB's gamma in it (J. Hejl and R. Burgess-Dawson, 2010), toe softened.
    light *= 0.60;
    vec3 top = light * (6.2 * light + 0.62);
    return top / (top + light * 1.08 + 0.05);
}

float rim(vec3 n, float wrap) {
    return max(dot(vec3(abs(n.x), n.y, n.z), u_rim_direction) + wrap, 0.0);
}

float power16(float x) {
    x *= x; x *= x; x *= x;
    return x * x;
}

float power64(float x) {
    x = power16(x); x *= x;
    return x * x;
}

float relief(vec3 bent) {
    // How light found for the smooth normal changes when bumps bend the normal.
    return max(1.0 + dot(bent, vec3(0.40, 0.45, 0.25)), 0.0);
}
