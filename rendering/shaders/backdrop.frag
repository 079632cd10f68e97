// The background, or the camera's picture.
uniform sampler2D u_picture;
#ifdef PICTURE
uniform float u_mirror;
#endif
varying vec2 v_at;

void main() {
#ifdef PICTURE
    gl_FragColor = vec4(texture2D(u_picture, vec2(0.5 + (v_at.x - 0.5) * u_mirror, 1.0 - v_at.y)).rgb, 1.0);
#else
    gl_FragColor = texture2D(u_picture, v_at);
#endif
}
