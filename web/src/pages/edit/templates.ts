/** What a new document begins with. */
export const templates = {
  SLO: (service: string) => `apiVersion: openslo/v1
kind: SLO
metadata:
  name: ${service}-availability
spec:
  service: ${service}
  indicator:
    metadata:
      name: ${service}-availability
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: sum(http_requests_total{service="${service}",code=~"5.."})
        total:
          metricSource:
            type: Prometheus
            spec:
              query: sum(http_requests_total{service="${service}"})
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
`,
  MaintenanceWindow: (service: string) => `apiVersion: teiten.dev/v1
kind: MaintenanceWindow
metadata:
  name: ${service}-maintenance
spec:
  services: [${service}]
  reason: 
  start: "${new Date(Date.now() + 86_400_000).toISOString().slice(0, 13)}:00:00Z"
  end: "${new Date(Date.now() + 86_400_000).toISOString().slice(0, 13)}:30:00Z"
`,
  Probe: (service: string) => `apiVersion: teiten.dev/v1
kind: Probe
metadata:
  name: ${service}
spec:
  service: ${service}
  interval: 30s
  timeout: 10s
  http:
    steps:
      - name: front
        url: https://${service}.example.com/
`,
  Schedule: (service: string) => `apiVersion: teiten.dev/v1
kind: Schedule
metadata:
  name: ${service}
spec:
  owner: my-team
  timeZone: ${Intl.DateTimeFormat().resolvedOptions().timeZone}
  layers:
    - name: weekly
      rotation: weekly
      start: "${new Date().toISOString().slice(0, 10)}T10:00"
      participants:
        - person: somebody
`,
} as const;

export type Kind = keyof typeof templates;
export const kinds = Object.keys(templates) as Kind[];
