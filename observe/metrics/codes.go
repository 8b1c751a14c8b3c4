package metrics

// Codes of the faults that tell how a source is. They are stable.
const (
	CodeTimeout  = "metrics.timeout"   // no answer in time
	CodeGone     = "metrics.gone"      // no connection, or an error of the server itself
	CodeBusy     = "metrics.busy"      // the server limits how often it is asked
	CodePartial  = "metrics.partial"   // the server says that its answer is incomplete
	CodeAuth     = "metrics.auth"      // the credentials are not accepted
	CodeTLS      = "metrics.tls"       // the certificate or the protocol does not fit
	CodeNonsense = "metrics.nonsense"  // what answers is not Prometheus' API
	CodeClock    = "metrics.clock"     // the embedded store holds samples from the future
	CodeDiskFull = "metrics.disk_full" // the embedded store takes no samples
)
