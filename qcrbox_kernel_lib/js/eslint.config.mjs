// The script that builds the widgets; the widgets themselves lie in ../qcrbox/widgets.
export default [
  {
    files: ["*.mjs"],
    languageOptions: { globals: { URL: "readonly", console: "readonly", process: "readonly" } },
    rules: { "no-undef": "error", "no-unused-vars": "error", "prefer-const": "error" },
  },
];
