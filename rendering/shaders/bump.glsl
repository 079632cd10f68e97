// Bump mapping from a gradient texture: M. Mikkelsen, "Bump Mapping Unparametrized Surfaces on the GPU", 2010. The
// height's screen derivatives come from its UV gradient, so one fetch is enough and no facet shows.
uniform sampler2D u_gradient;  // d displacement / d(u, v) in millimetres
uniform float u_bump;

vec3 bumped(vec3 n, vec3 base, vec2 uv) {
    vec2 slope = texture2D(u_gradient, uv).rg * (0.001 * u_bump);
    vec3 along_x = dFdx(base);
    vec3 along_y = dFdy(base);
    float height_x = dot(slope, dFdx(uv));
    float height_y = dot(slope, dFdy(uv));
    vec3 r1 = cross(along_y, n);
    vec3 r2 = cross(n, along_x);
    float area = dot(along_x, r1);
    vec3 gradient = sign(area) * (height_x * r1 + height_y * r2);
    // Slivers have no area on the screen: the normal stays then.
    return normalize(max(abs(area), 1e-14) * n - gradient);
}
