/** The rooms whose answers a journal entry of this kind changes (the first part of their query keys). */
export function roomsOf(kind: string): string[] {
  const room = kind.split(".")[0];
  switch (room) {
    case "ascode": // An apply may touch everything that YAML describes.
      return ["journal", "catalog", "slo", "metrics", "notify", "probe", "oncall"];
    case "slo":
      return kind.startsWith("slo.source_") ? ["journal", "slo", "metrics", "system"] : ["journal", "slo"];
    case "catalog":
      return ["journal", "catalog", "slo"];
    case "probe":
      return ["journal", "probe", "slo"];
    case "notify":
    case "oncall":
    case "access":
      return ["journal", room];
    default:
      return ["journal"];
  }
}
