const browsers: [RegExp, string][] = [
  [/Edg\/(\d+)/, "Edge"],
  [/Firefox\/(\d+)/, "Firefox"],
  [/Chrome\/(\d+)/, "Chrome"],
  [/Version\/(\d+).*Safari/, "Safari"],
  [/curl\/(\d+)/, "curl"],
  [/teiten\/([\d.]+)/i, "teiten"],
];
const systems: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** What a User-Agent header calls itself, in three words; empty when it says nothing known. */
export function browserName(agent: string): string {
  const browser = browsers.map(([re, name]) => [re.exec(agent)?.[1], name]).find(([version]) => version);
  const system = systems.find(([re]) => re.test(agent))?.[1];
  return [browser && `${browser[1]} ${browser[0]}`, system].filter(Boolean).join(" · ");
}
