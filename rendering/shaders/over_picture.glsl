// What a fragment becomes: over the background the bust fades out where the neck is cut; the overlay mixes with
// the picture inside the shader, because the head needs no sorting then.
#ifdef FADE
varying float v_fade;
uniform float u_cut;           // over a key colour: what is fainter than this is left out, and the rest is solid
#endif
#ifdef OVER_PICTURE
uniform sampler2D u_picture;
uniform vec4 u_window;         // left, bottom, width, height of the viewport in pixels
uniform float u_opacity;
uniform float u_face_only;
uniform float u_mirror;        // 1 or -1

vec4 output_colour(vec3 colour, float face) {
    vec2 at = (gl_FragCoord.xy - u_window.xy) / u_window.zw;
    vec3 picture = texture2D(u_picture, vec2(0.5 + (at.x - 0.5) * u_mirror, 1.0 - at.y)).rgb;
    float share = u_opacity * mix(1.0, smoothstep(0.15, 0.75, face), u_face_only);
    return vec4(mix(picture, colour, share), 1.0);
}
#else
vec4 output_colour(vec3 colour, float face) {
#ifdef FADE
    float share = smoothstep(0.0, 1.0, v_fade);
    if (share < u_cut) discard;
    return vec4(colour, u_cut > 0.0 ? 1.0 : share);
#else
    return vec4(colour, 1.0);
#endif
}
#endif
