package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
)

var slid = regexp.MustCompile(`(?m)^BenchmarkSliding/(columns|rows)/(\d+)\S*\s.*?(\d+) bytes/objective\s+(\S+) ns/objective`)

// sliding shows what it takes to move windows, without anything around it.
func (b *bench) sliding(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "-", "-bench", "Sliding", "./observe/slo/window")
	cmd.Dir = b.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, m := range slid.FindAllStringSubmatch(string(out), -1) {
		b.add(fmt.Sprintf("sliding by %s, %s SLOs", m[1], m[2]), fmt.Sprintf("%s ns, %s bytes for each SLO", m[4], m[3]),
			map[string]string{"columns": "≤ 108 ns"}[m[1]])
	}
	b.how("sliding: eight windows, the longest of thirty days, are moved by a minute, and eight ratios, four pairs and the budget are read; time of the processor. By columns is how the engine does it; by rows, one objective after the other, is there to compare.")
	return nil
}
