package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on

// cpuTime returns the processor time that a process has used, from /proc, by ticks of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("cannot read the processor time of process %d; this needs Linux: %w", pid, err)
	}
	return parseCPU(string(text))
}

// parseCPU adds user and system time of a stat line. The name, in parentheses, may hold spaces.
func parseCPU(stat string) (time.Duration, error) {
	const user, system = 11, 12 // counted after the name
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("a stat line of /proc has another form than known: %q", stat)
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("a stat line of /proc has another form than known: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// residentMB returns the memory of a process that is in RAM, in MB of 2^20 bytes.
func residentMB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("cannot read the memory of process %d; this needs Linux: %w", pid, err)
	}
	return parseResident(string(text))
}

func parseResident(status string) (float64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kB / 1024, err
		}
	}
	return 0, fmt.Errorf("the status of the process names no VmRSS; has it ended?")
}
