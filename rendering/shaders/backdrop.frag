// The background painted once, the camera's picture (PICTURE), or one colour where nothing else has been drawn (KEY).
#ifdef KEY
uniform vec3 u_colour;         // sRGB
#else
uniform sampler2D u_picture;
#endif
#ifdef PICTURE
uniform vec2 u_part;           // share of the picture that is shown; a negative width mirrors it
#endif
varying vec2 v_at;

void main() {
#ifdef KEY
    gl_FragColor = vec4(u_colour, 1.0);
#else
#ifdef PICTURE
    gl_FragColor = vec4(texture2D(u_picture, vec2(0.5, 0.5) + (v_at - 0.5) * vec2(u_part.x, -u_part.y)).rgb, 1.0);
#else
    gl_FragColor = texture2D(u_picture, v_at);
#endif
#endif
}
