// Shaders. Atoms are ray-cast: each is one quad, its ellipsoid is met exactly, its octant really cut out.
import * as THREE from "three";

// One page is light or dark; all views on it are.
export const PAPER = { value: new THREE.Color(1, 1, 1) };

const LIGHT = `
uniform vec3 uPaper; uniform vec2 uDepth; // distance of the middle, radius of all: what lies behind fades a little
vec3 faded(vec3 colour, float z) { return mix(colour, uPaper, 0.5 * clamp((-z - uDepth.x) / uDepth.y, 0.0, 1.0)); }
vec3 lit(vec3 colour, vec3 n, float rim) {
  float diffuse = max(dot(n, normalize(vec3(0.35, 0.55, 0.76))), 0.0);
  float back = max(dot(n, normalize(vec3(-0.6, -0.3, 0.5))), 0.0);
  float shine = pow(max(dot(n, normalize(vec3(0.18, 0.3, 0.94))), 0.0), 40.0);
  vec3 c = colour * (0.5 + 0.52 * diffuse + 0.12 * back) + 0.16 * shine;
  return mix(c, vec3(0.08), rim);
}`;

const atomVertex = `
in vec3 iPosition; in vec3 iA; in vec3 iB; in vec3 iC; in float iFixed; in vec3 iColour; in vec4 iFlags; in vec4 iOther;
uniform float uScale; uniform bool uPerspective;
out vec3 vView; flat out vec3 vCentre; flat out mat3 vInverse; flat out vec3 vColour; flat out vec4 vFlags; flat out vec3 vFacing; flat out vec4 vOther;
void main() {
  mat3 turn = mat3(modelViewMatrix);
  mat3 m = iFixed > 0.0 ? mat3(iFixed) : turn * (uScale * mat3(iA, iB, iC));
  // A flat ellipsoid would have no inverse; this thickness cannot be seen.
  for (int k = 0; k < 3; k++) { float l = length(m[k]); if (l < 0.004) m[k] = l > 0.0 ? m[k] * (0.004 / l) : vec3(k == 0, k == 1, k == 2) * 0.004; }
  vec3 centre = (modelViewMatrix * vec4(iPosition, 1.0)).xyz;
  vec3 reach = sqrt(m[0] * m[0] + m[1] * m[1] + m[2] * m[2]);
  float wider = uPerspective ? 1.25 : 1.04;
  vec3 place = centre + vec3(position.xy * reach.xy * wider, uPerspective ? reach.z : 0.0);
  vView = place; vCentre = centre; vInverse = inverse(m); vColour = iColour; vFlags = iFlags; vOther = iOther;
  vFacing = vec3(m[0].z < 0.0 ? -1.0 : 1.0, m[1].z < 0.0 ? -1.0 : 1.0, m[2].z < 0.0 ? -1.0 : 1.0);
  gl_Position = projectionMatrix * vec4(place, 1.0);
}`;

// iFlags: x 1 = has principal axes to draw, y 1 = hollow, z selected, w hovered: 1 = the atom, 2 = the other one of its site
const atomFragment = `
uniform bool uPerspective; uniform int uStyle; uniform mat4 uProjection; uniform float uPixel;
in vec3 vView; flat in vec3 vCentre; flat in mat3 vInverse; flat in vec3 vColour; flat in vec4 vFlags; flat in vec3 vFacing; flat in vec4 vOther;
out vec4 outColour;
${LIGHT}
void main() {
  vec3 from = uPerspective ? vec3(0.0) : vec3(vView.xy, 0.0);
  vec3 ray = uPerspective ? normalize(vView) : vec3(0.0, 0.0, -1.0);
  vec3 o = vInverse * (from - vCentre), d = vInverse * ray;
  float a = dot(d, d), b = dot(o, d), c = dot(o, o) - 1.0;
  float inside = (b * b - a * c) / a; // 1 at the middle, 0 at the outline
  float soft = max(fwidth(inside), 1e-5);
  float cover = clamp(inside / soft + 0.5, 0.0, 1.0);
  if (cover <= 0.0) discard;
  float t = (-b - sqrt(max(b * b - a * c, 0.0))) / a;
  vec3 p = o + t * d;
  vec3 n = normalize(transpose(vInverse) * p);
  bool rings = vFlags.x > 0.5 && uStyle < 2;
  bool hollow = vFlags.y > 0.5;
  float line = 0.0;
  bool cut = false;
  if (rings) {
    vec3 q = p * vFacing;
    if (uStyle == 0 && !hollow && all(greaterThan(q, vec3(0.0)))) {
      // Into the cut-out octant, on to the first of its three inner planes.
      vec3 to = -p / d;
      float s = min(to.x, min(to.y, to.z));
      int k = to.x <= to.y && to.x <= to.z ? 0 : (to.y <= to.z ? 1 : 2);
      t += max(s, 0.0);
      p = o + t * d;
      n = normalize(transpose(vInverse) * vec3(k == 0, k == 1, k == 2)) * vFacing[k];
      if (n.z < 0.0) n = -n;
      vec2 f = abs(k == 0 ? p.yz : (k == 1 ? p.zx : p.xy));
      float step5 = fract(f.x * 5.0);
      line = max(step(step5, 0.22), step(min(f.x, f.y), 0.05));
      line = max(line, smoothstep(0.93, 0.97, length(f)));
      cut = true;
    } else {
      vec3 w = fwidth(p) * 0.9 + 0.018;
      vec3 near = 1.0 - smoothstep(w * 0.6, w, abs(p));
      line = max(near.x, max(near.y, near.z));
    }
  }
  float facing = clamp(n.z, 0.0, 1.0);
  float rimWidth = clamp(uPixel * 60.0, 0.10, 0.42);
  float rim = cut ? 0.0 : 1.0 - smoothstep(rimWidth * 0.55, rimWidth, uPerspective ? dot(n, -ray) : facing);
  // A shared site is a pie, clockwise from the top: seen the same from every side.
  vec2 round = vView.xy - vCentre.xy;
  bool other = vOther.w > 0.0 && fract(atan(round.x, round.y) / 6.2831853 + 1.0) < vOther.w;
  vec3 own = other ? vOther.rgb : vColour;
  float bit = other ? 2.0 : 1.0;
  bool selected = mod(floor(vFlags.z / bit), 2.0) > 0.5, hovered = mod(floor(vFlags.w / bit), 2.0) > 0.5;
  vec3 colour;
  if (hollow) {
    vec3 ink = uPaper.r > 0.5 ? own * 0.55 : mix(own, vec3(1.0), 0.2);
    colour = mix(uPaper, ink, max(line, rim));
  } else {
    colour = lit(cut ? mix(own, vec3(1.0), 0.62) : own, n, 0.85 * rim);
    colour = mix(colour, vec3(0.1), 0.85 * line);
  }
  if (selected) colour = mix(colour, vec3(1.0, 0.62, 0.0), 0.35 + 0.6 * rim);
  else if (hovered) colour = mix(colour, vec3(1.0, 0.85, 0.3), 0.3);
  vec4 clip = uProjection * vec4(from + t * ray, 1.0);
  gl_FragDepth = clamp(0.5 * clip.z / clip.w + 0.5, 0.0, 1.0);
  outColour = vec4(faded(clamp(colour, 0.0, 1.0), (from + t * ray).z), cover);
}`;

export function atomMaterial() {
  return new THREE.ShaderMaterial({
    glslVersion: THREE.GLSL3,
    vertexShader: atomVertex,
    fragmentShader: atomFragment,
    uniforms: {
      uScale: { value: 1 },
      uPerspective: { value: false },
      uStyle: { value: 0 },
      uProjection: { value: new THREE.Matrix4() },
      uPixel: { value: 0.005 },
      uPaper: PAPER, uDepth: { value: new THREE.Vector2(1, 1) },
    },
    alphaToCoverage: true,
  });
}

const bondVertex = `
in vec3 iColourA; in vec3 iColourB; in vec2 iFlags; in vec4 iReach;
uniform float uScale;
out float vAlong; out vec3 vNormal2; flat out vec3 vA; flat out vec3 vB; flat out vec2 vFlags; flat out float vLength; flat out vec2 vEnds; out float vZ;
void main() {
  // Where the surfaces of both atoms are on the bond: it must not show inside a cut-out octant.
  vEnds = (iReach.xy * uScale + iReach.zw) * 0.94;
  mat3 turn = mat3(modelViewMatrix * instanceMatrix);
  vLength = length(instanceMatrix[1].xyz);
  vAlong = position.y; vA = iColourA; vB = iColourB; vFlags = iFlags;
  vNormal2 = normalize(turn * vec3(normal.x, 0.0, normal.z));
  vec4 place = modelViewMatrix * instanceMatrix * vec4(position, 1.0);
  vZ = place.z;
  gl_Position = projectionMatrix * place;
}`;

// iFlags: x 1 = hollow (minor disorder), y 1 = dashed (hydrogen bond)
const bondFragment = `
in float vAlong; in vec3 vNormal2; flat in vec3 vA; flat in vec3 vB; flat in vec2 vFlags; flat in float vLength; flat in vec2 vEnds; in float vZ;
out vec4 outColour;
${LIGHT}
void main() {
  float at = (vAlong + 0.5) * vLength;
  if (at < vEnds.x || vLength - at < vEnds.y) discard;
  if (vFlags.y > 0.5 && fract((vAlong + 0.5) * vLength * 4.5) > 0.5) discard;
  vec3 n = normalize(vNormal2);
  float rim = 1.0 - smoothstep(0.25, 0.5, n.z);
  vec3 base = vAlong < 0.0 ? vA : vB;
  vec3 colour = vFlags.x > 0.5 ? mix(uPaper, uPaper.r > 0.5 ? base * 0.6 : base, rim) : lit(mix(base, vec3(1.0), 0.18), n, 0.75 * rim);
  outColour = vec4(faded(colour, vZ), 1.0);
}`;

export function bondMaterial() {
  return new THREE.ShaderMaterial({
    glslVersion: THREE.GLSL3,
    vertexShader: bondVertex,
    fragmentShader: bondFragment,
    uniforms: { uScale: { value: 1 }, uPaper: PAPER, uDepth: { value: new THREE.Vector2(1, 1) } },
  });
}

// aSize: radius in Å of what has a fixed one, or of the ellipsoid at probability scale 1; both 0: not drawn.
const sketchAtomVertex = `
in vec2 aSize; in vec3 aColour; in vec4 aFlags;
uniform float uScale; uniform float uHeight; // pixels
flat out vec3 vColour; flat out vec4 vFlags; flat out float vPixels; out float vZ;
void main() {
  float r = aSize.x + aSize.y * uScale;
  vec4 place = modelViewMatrix * vec4(position, 1.0);
  vColour = aColour; vFlags = aFlags; vZ = place.z;
  place.z += r; // the front of the sphere lies before the bonds that begin in it
  gl_Position = r > 0.0 ? projectionMatrix * place : vec4(2.0, 2.0, 2.0, 1.0);
  vPixels = r * projectionMatrix[1][1] * uHeight / gl_Position.w;
  gl_PointSize = max(vPixels, 1.5);
}`;

const sketchAtomFragment = `
flat in vec3 vColour; flat in vec4 vFlags; flat in float vPixels; in float vZ;
out vec4 outColour;
${LIGHT}
void main() {
  vec2 p = 2.0 * gl_PointCoord - 1.0;
  float off = dot(p, p);
  if (off > 1.0 && vPixels > 3.0) discard;
  float rim = vPixels > 5.0 ? smoothstep(1.0 - 4.0 / vPixels, 1.0, sqrt(off)) : 0.0;
  vec3 n = vec3(p.x, -p.y, sqrt(max(1.0 - off, 0.0)));
  vec3 ink = uPaper.r > 0.5 ? vColour * 0.55 : mix(vColour, vec3(1.0), 0.2);
  vec3 colour = vFlags.y > 0.5 ? mix(uPaper, ink, vPixels > 5.0 ? rim : 0.5) : lit(vColour, n, 0.85 * rim);
  if (vFlags.z > 0.5) colour = mix(colour, vec3(1.0, 0.62, 0.0), 0.35 + 0.6 * rim);
  outColour = vec4(faded(clamp(colour, 0.0, 1.0), vZ), 1.0);
}`;

export function sketchAtomMaterial() {
  return new THREE.ShaderMaterial({
    glslVersion: THREE.GLSL3,
    vertexShader: sketchAtomVertex,
    fragmentShader: sketchAtomFragment,
    uniforms: { uScale: { value: 1 }, uHeight: { value: 1 }, uPaper: PAPER, uDepth: { value: new THREE.Vector2(1, 1) } },
  });
}

const sketchBondVertex = `
in vec3 aColour;
out vec3 vColour; out float vZ;
void main() {
  vec4 place = modelViewMatrix * vec4(position, 1.0);
  vColour = mix(aColour, vec3(1.0), 0.1); vZ = place.z;
  gl_Position = projectionMatrix * place;
}`;

const sketchBondFragment = `
in vec3 vColour; in float vZ;
out vec4 outColour;
${LIGHT}
void main() { outColour = vec4(faded(vColour * 0.8, vZ), 1.0); }`;

export function sketchBondMaterial() {
  return new THREE.ShaderMaterial({
    glslVersion: THREE.GLSL3,
    vertexShader: sketchBondVertex,
    fragmentShader: sketchBondFragment,
    uniforms: { uPaper: PAPER, uDepth: { value: new THREE.Vector2(1, 1) } },
  });
}

const cubeVertex = `
out vec3 vNormal2; out vec2 vFace;
void main() {
  vNormal2 = normalize(mat3(modelViewMatrix * instanceMatrix) * normal);
  vFace = uv;
  gl_Position = projectionMatrix * modelViewMatrix * instanceMatrix * vec4(position, 1.0);
}`;

const cubeFragment = `
in vec3 vNormal2; in vec2 vFace; out vec4 outColour;
${LIGHT}
void main() {
  vec2 e = min(vFace, 1.0 - vFace);
  float edge = 1.0 - smoothstep(0.04, 0.07, min(e.x, e.y));
  outColour = vec4(lit(vec3(0.86, 0.05, 0.05), normalize(vNormal2), 0.85 * edge), 1.0);
}`;

export function cubeMaterial() {
  return new THREE.ShaderMaterial({ glslVersion: THREE.GLSL3, vertexShader: cubeVertex, fragmentShader: cubeFragment, uniforms: { uPaper: PAPER, uDepth: { value: new THREE.Vector2(1, 1e9) } } });
}

const peakFragment = `
in vec3 vNormal2; in vec2 vFace; out vec4 outColour;
${LIGHT}
void main() {
  vec3 n = normalize(vNormal2);
  outColour = vec4(lit(vec3(0.62, 0.42, 0.16), n, 0.7 * (1.0 - smoothstep(0.1, 0.4, n.z))), 1.0);
}`;

export function peakMaterial() {
  return new THREE.ShaderMaterial({ glslVersion: THREE.GLSL3, vertexShader: cubeVertex, fragmentShader: peakFragment, uniforms: { uPaper: PAPER, uDepth: { value: new THREE.Vector2(1, 1e9) } } });
}
