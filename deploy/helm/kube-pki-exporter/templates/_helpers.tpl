{{- define "exporter.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "exporter.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "exporter.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "exporter.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "exporter.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "exporter.selector" -}}
app.kubernetes.io/name: {{ include "exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: node
{{- end -}}

{{- define "exporter.labels" -}}
{{ include "exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "exporter.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The name of the volume of a host path; the same as in deploy/generate.py. */}}
{{- define "exporter.volume" -}}
{{- regexReplaceAll "[^a-z0-9]+" (lower .) "-" | trimAll "-" | trunc -63 | trimAll "-" -}}
{{- end -}}

{{/* The kinds of nodes: the values' own or the preset's. */}}
{{- define "exporter.shapes" -}}
{{- if .Values.nodeShapes -}}
{{- .Values.nodeShapes | toYaml -}}
{{- else -}}
{{- index (.Files.Get "files/node-shapes.yaml" | fromYaml) .Values.distribution | toYaml -}}
{{- end -}}
{{- end -}}

{{/* What `monitoring` comes to on this cluster. */}}
{{- define "exporter.monitoring" -}}
{{- if ne .Values.monitoring "auto" -}}
{{- .Values.monitoring -}}
{{- else if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PodMonitor" -}}
podMonitor
{{- else -}}
annotations
{{- end -}}
{{- end -}}

{{/* The endpoint of a PodMonitor or a ServiceMonitor. */}}
{{- define "exporter.endpoint" -}}
- port: metrics
  path: /metrics
  {{- if eq .Values.webConfig.scheme "https" }}
  scheme: https
  {{- end }}
  {{- with .Values.monitor.interval }}
  interval: {{ . }}
  {{- end }}
  {{- with .Values.monitor.scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
  relabelings:
    # Alerts and dashboards name the node by this label.
    - sourceLabels: [__meta_kubernetes_pod_node_name]
      targetLabel: node
  {{- with .Values.monitor.endpoint }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* A probe of the path `.path`, or of the port alone. */}}
{{- define "exporter.probe" -}}
{{- if eq .web.probe "tcp" -}}
tcpSocket:
  port: metrics
{{- else -}}
httpGet:
  path: {{ .path }}
  port: metrics
  {{- if eq .web.scheme "https" }}
  scheme: HTTPS
  {{- end }}
{{- end }}
periodSeconds: {{ .period }}
timeoutSeconds: 5
{{- end -}}
