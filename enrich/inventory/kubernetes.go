package inventory

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// A kubernetesObject is an element of `kubectl get pods|services|nodes -A -o json`.
type kubernetesObject struct {
	Kind     string
	Metadata struct {
		Name, Namespace, UID string
		Labels               map[string]string
		CreationTimestamp    stamp
		DeletionTimestamp    stamp
		OwnerReferences      []struct{ Kind, Name string }
	}
	Spec struct {
		NodeName    string
		HostNetwork bool
		ProviderID  string
		ClusterIPs  []string
		ExternalIPs []string
	}
	Status struct {
		Phase             string
		PodIP             string
		PodIPs            []struct{ IP string }
		StartTime         stamp
		ContainerStatuses []struct {
			State struct{ Terminated *struct{ FinishedAt stamp } }
		}
		Addresses    []struct{ Type, Address string }
		LoadBalancer struct{ Ingress []struct{ IP string } }
	}
}

// decodeItemOfKubernetes reads a pod, a service or a node. Other kinds are passed over.
func decodeItemOfKubernetes(d *document, raw []byte) ([]state, error) {
	var o kubernetesObject
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	var addresses []string
	about := description{id: o.Metadata.UID, kubernetes: &Kubernetes{Namespace: d.store.intern(o.Metadata.Namespace)}}
	s := state{}
	switch o.Kind {
	case "Pod":
		if o.Spec.HostNetwork { // its addresses are the node's
			return nil, nil
		}
		about.kind, about.kubernetes.Pod, about.kubernetes.Workload = typePod, o.Metadata.Name, d.store.intern(o.workload())
		about.instance = o.Spec.NodeName // until the node is known
		addresses = append(addresses, o.Status.PodIP)
		for _, ip := range o.Status.PodIPs {
			addresses = append(addresses, ip.IP)
		}
		s.attach, s.gone = int64(cmp.Or(o.Status.StartTime, o.Metadata.CreationTimestamp)), int64(o.finished())
	case "Service":
		about.kind, about.kubernetes.Workload = typeK8sService, o.Metadata.Name
		addresses = slices.Concat(o.Spec.ClusterIPs, o.Spec.ExternalIPs)
		for _, in := range o.Status.LoadBalancer.Ingress {
			addresses = append(addresses, in.IP)
		}
		s.attach = int64(o.Metadata.CreationTimestamp)
	case "Node":
		about.kind, about.text = typeNode, o.Metadata.Name
		d.store.nodes[o.Metadata.Name] = o.Spec.ProviderID[strings.LastIndexByte(o.Spec.ProviderID, '/')+1:]
		for _, a := range o.Status.Addresses {
			addresses = append(addresses, a.Address)
		}
		s.attach = int64(o.Metadata.CreationTimestamp)
	default:
		return nil, nil
	}
	for k, v := range o.Metadata.Labels {
		about.tags = append(about.tags, Tag{d.store.intern(k), d.store.intern(v)})
	}
	slices.SortFunc(about.tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	for _, text := range addresses {
		p, err := parsePrefix(text) // nodes have names among their addresses, and services None
		if err == nil && !slices.Contains(s.claims, claim{p, exact}) {
			s.claims = append(s.claims, claim{p, exact})
		}
	}
	if len(s.claims) == 0 {
		return nil, nil
	}
	s.about = &about
	s.holder = d.store.holder(cmp.Or(o.Metadata.UID, o.Kind+"/"+o.Metadata.Namespace+"/"+o.Metadata.Name))
	return []state{s}, nil
}

// workload is what made the pod: of a ReplicaSet's name the hash is left out, so it is the Deployment.
func (o *kubernetesObject) workload() string {
	if len(o.Metadata.OwnerReferences) == 0 {
		return o.Metadata.Name
	}
	by := o.Metadata.OwnerReferences[0]
	if hash := o.Metadata.Labels["pod-template-hash"]; by.Kind == "ReplicaSet" && hash != "" {
		return strings.TrimSuffix(by.Name, "-"+hash)
	}
	return by.Name
}

// finished is when a pod released its addresses, 0 if it still has them.
func (o *kubernetesObject) finished() stamp {
	if o.Metadata.DeletionTimestamp != 0 {
		return o.Metadata.DeletionTimestamp
	}
	if o.Status.Phase != "Succeeded" && o.Status.Phase != "Failed" {
		return 0
	}
	var last stamp
	for _, c := range o.Status.ContainerStatuses {
		if c.State.Terminated != nil {
			last = max(last, c.State.Terminated.FinishedAt)
		}
	}
	return last
}
