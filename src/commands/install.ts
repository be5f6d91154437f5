/** `turnout install`: manifests for `kubectl apply -f -`. */
import { command, exitCode, flag, Mistake, text } from '../command.ts';
import { namespaceName } from '../kube-names.ts';

export const installCommand = command({
  name: 'install',
  summary: 'print the manifests of a DaemonSet, for kubectl apply -f -',
  details: `  turnout install --tls | kubectl apply -f -

  The same as kubectl kustomize of the folder k8s/manifests/overlays. Applications reach the router of their
  node at port 4140 of the node's address, unless --local-service is given.`,
  options: {
    tls: flag('TLS between nodes, with the Secret turnout-certificates (the default)'),
    plain: flag('plain HTTP between nodes'),
    hostNetwork: flag('use the network of the node; a rollout loses nothing'),
    localService: flag('use no port of the node: applications use the Service; a rollout loses nothing'),
    image: text('REF', 'the image of the router', 'turnout:0.1.0'),
    namespace: text('NS', 'the namespace', 'turnout'),
  },
  async run({ tls, plain, hostNetwork, localService, image, namespace }, _operands, { stdout }) {
    if (tls && plain) throw new Mistake('--tls and --plain exclude each other');
    if (hostNetwork && localService)
      throw new Mistake('--host-network and --local-service exclude each other');
    if (!/^[\w./:@-]+$/.test(image))
      throw new Mistake(`--image takes the reference of an image, not "${image}"`);
    const network = hostNetwork ? 'host-network' : localService ? 'local-service' : 'host-port';
    const { renderInstall } = await import('../install/render.ts');
    stdout.write(renderInstall({ network, tls: !plain, image, namespace: namespaceName(namespace) }));
    return exitCode.done;
  },
});
