// `up NAME HOSTS` or `down NAME` in a process of its own, for lab-leftovers.test.ts to kill.
import { labUp, takeDown } from '../../lab/hosts/index.js';

const [, , command, name = '', hosts] = process.argv;
if (command === 'up') await labUp({ name, hosts: Number(hosts) });
else await takeDown(name);
