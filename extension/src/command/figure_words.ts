// Made by `make types` from qcrbox.client.metrics. Do not edit.
/** Name of a reported figure: its label and its number of decimals. */
export const FIGURE_WORDS: Record<string, [label: string, digits: number]> = {
  cycle: ['cycle', 0],
  round: ['round', 0],
  R1: ['R1', 4],
  R1_before: ['R1 before', 4],
  wR2: ['wR2', 4],
  S: ['S', 3],
  max_shift_su: ['max shift/s.u.', 3],
  mean_shift_su: ['mean shift/s.u.', 3],
  shift_su: ['max shift/s.u.', 3],
  residual_max: ['Δρ max / e Å⁻³', 2],
  residual_min: ['Δρ min / e Å⁻³', 2],
  residual_max_neutron: ['Δρ max / fm Å⁻³', 2],
  residual_min_neutron: ['Δρ min / fm Å⁻³', 2],
  residual_max_electron: ['Δρ max / Å⁻²', 2],
  residual_min_electron: ['Δρ min / Å⁻²', 2],
  rounds: ['rounds', 0],
  scf_iteration: ['SCF iteration', 0],
  scf_iterations: ['SCF iterations', 0],
  estimated_s: ['estimated time / s', 0]
};
