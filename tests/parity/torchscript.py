"""TorchScript, pickled modules and state_dicts with their source, against PyTorch itself.

  python torchscript.py make FOLDER                              in an environment with torch
  python torchscript.py check FOLDER --command 'COMMAND …' [NAME …]  in one with numpy, onnx and onnxruntime

make writes NAME.trace.pt, NAME.script.pt, NAME.module.pt and NAME.CLASS.dict.pt with NAME.npz: inputs and PyTorch's
outputs, twice, with other batch sizes and lengths. check runs COMMAND MODEL OUT.onnx [--source FILE] [--class NAME] for
each, runs ONNX Runtime and compares: the error must stay below 1e-5 of the tensor's largest value. The classes are in
tests/fixtures/torch_code/models.py. Random weights, fixed seeds.
"""
import glob
import os
import shlex
import subprocess
import sys
import tempfile

import numpy as np

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fixtures', 'torch_code', 'models.py')


def make(out):
    import warnings
    import torch
    import torch.nn as nn
    warnings.filterwarnings('ignore')
    sys.path.insert(0, os.path.dirname(MODELS))
    import models as S
    os.makedirs(out, exist_ok=True)
    torch.manual_seed(0)
    def flat(o,pre='output'):
        if isinstance(o,torch.Tensor): return [(pre,o.numpy())]
        if isinstance(o,dict): return [kv for k,v in o.items() for kv in flat(v,k)]
        if isinstance(o,(tuple,list)):
            if len(o)==1: return flat(o[0],pre)
            return [kv for i,v in enumerate(o) for kv in flat(v,f'{pre}_{i}')]
        return [(pre,np.array(o))]
    def randomize(m):
        for b in m.modules():
            if isinstance(b,(nn.BatchNorm1d,nn.BatchNorm2d,nn.BatchNorm3d)):
                b.running_mean.uniform_(-.5,.5); b.running_var.uniform_(.5,1.5); b.weight.data.uniform_(.5,1.5); b.bias.data.uniform_(-.5,.5)
    def case(name,m,names,*inputs_list,how='tsm'):
        m.eval(); randomize(m)
        d={}
        with torch.no_grad():
            for j,inp in enumerate(inputs_list):
                for n,t in zip(names,inp): d[f'in{j}/{n}']=t.numpy()
                for k,v in flat(m(*inp)): d[f'out{j}/{k}']=v
            np.savez(f'{out}/{name}.npz',**d)
            try:
                if 't' in how: torch.jit.trace(m,inputs_list[0],strict=False).save(f'{out}/{name}.trace.pt')
            except Exception as e: print(name,'trace',str(e)[:200])
            try:
                if 's' in how: torch.jit.script(m).save(f'{out}/{name}.script.pt')
            except Exception as e: print(name,'script',str(e)[:200])
            if 'm' in how: torch.save(m,f'{out}/{name}.module.pt')
            if 'd' in how: torch.save(m.state_dict(),f'{out}/{name}.{type(m).__name__}.dict.pt')
    r=torch.rand
    case('branchy',S.Branchy(),['x'],(r(2,4),),(-r(3,4),),how='smd')
    case('loopscan',S.LoopScan(),['x'],(r(2,4,3),),(r(3,7,3),),how='smd')
    case('while',S.WhileLoop(),['x'],(r(2,4),),(r(3,4)*9,),how='sm')
    case('convbn',S.ConvBN(),['x'],(r(1,3,9,11),),(r(7,3,8,8),),how='tsmd')
    case('lstm',S.LSTMNet(),['ids'],(torch.randint(0,20,(2,5)),),(torch.randint(0,20,(7,9)),),how='tsmd')
    case('resnetish',S.ResNetish(),['x'],(r(2,3,9,11),),(r(7,3,8,8),),how='tsmd')
    case('unet',S.UNetish(),['x'],(r(1,1,9,11),),(r(7,1,8,8),),how='smd')
    case('transformer',S.Transformer(),['ids'],(torch.randint(0,30,(2,5)),),(torch.randint(0,30,(7,9)),),how='smd')
    case('twotower',S.TwoTower(),['user_id','item_id'],(torch.randint(0,10,(2,)),torch.randint(0,12,(2,))),(torch.randint(0,10,(7,)),torch.randint(0,12,(7,))),how='tsmd')
    case('custom',S.Custom(scale=.5),['x'],(r(2,4),),(r(7,4),),how='md')
    def seq(name,rank_in,*mods,how='tsm'):
        case('seq_'+name,nn.Sequential(*mods),['input'],(rank_in(1),),(rank_in(7),),how=how)
    img=lambda c=3,h=9,w=11: (lambda b: r(b,c,h,w))
    seq('mlp',lambda b:r(b,4),nn.Linear(4,8),nn.ReLU(),nn.Linear(8,3),nn.Softmax(dim=1))
    for n,a in dict(relu6=nn.ReLU6(),leaky=nn.LeakyReLU(.2),elu=nn.ELU(.7),selu=nn.SELU(),celu=nn.CELU(.5),gelu=nn.GELU(),gelut=nn.GELU('tanh'),silu=nn.SiLU(),mish=nn.Mish(),hsw=nn.Hardswish(),hsig=nn.Hardsigmoid(),hth=nn.Hardtanh(-.3,.4),sig=nn.Sigmoid(),tanh=nn.Tanh(),splus=nn.Softplus(2.,.5),ssign=nn.Softsign(),tsh=nn.Tanhshrink(),hsh=nn.Hardshrink(.2),ssh=nn.Softshrink(.2),thr=nn.Threshold(.1,.5),logsig=nn.LogSigmoid(),prelu=nn.PReLU(3),glu=nn.GLU(1),lsm=nn.LogSoftmax(1),smin=nn.Softmin(1),rrelu=nn.RReLU()).items():
        seq('act_'+n,lambda b:r(b,4)*4-2,nn.Linear(4,6) if n=='glu' else nn.Linear(4,3),a)
    seq('conv1d',lambda b:r(b,3,11),nn.Conv1d(3,4,3,stride=2,padding=1,dilation=2),nn.BatchNorm1d(4),nn.MaxPool1d(2,padding=1),nn.Flatten(0,1))
    seq('conv3d',lambda b:r(b,2,5,6,7),nn.Conv3d(2,3,3,padding=1,groups=1),nn.BatchNorm3d(3),nn.AvgPool3d(2),nn.AdaptiveAvgPool3d(1),nn.Flatten(),nn.Linear(3,2))
    seq('convs',img(4),nn.Conv2d(4,8,(3,5),stride=(1,2),padding='valid',groups=2),nn.Conv2d(8,8,3,padding='same',dilation=2),nn.GroupNorm(2,8),nn.AvgPool2d(2,ceil_mode=True,count_include_pad=False,padding=1),nn.AdaptiveMaxPool2d(1))
    for pm in ['reflect','replicate','circular']: seq('pm_'+pm,img(),nn.Conv2d(3,4,3,padding=2,padding_mode=pm))
    seq('tconv1',lambda b:r(b,3,7),nn.ConvTranspose1d(3,4,3,stride=2,padding=1,output_padding=1))
    seq('tconv2',img(),nn.ConvTranspose2d(3,4,3,stride=2,padding=1,output_padding=1,bias=False),nn.InstanceNorm2d(4,affine=True))
    seq('tconv3',lambda b:r(b,2,3,4,5),nn.ConvTranspose3d(2,2,3,stride=2))
    seq('norms',lambda b:r(b,5,6),nn.LayerNorm([5,6]),nn.LayerNorm(6,elementwise_affine=False),nn.InstanceNorm1d(5))
    seq('lrn',img(6),nn.LocalResponseNorm(3),nn.Dropout2d(.5))
    seq('lppool',img(),nn.LPPool2d(2,2,stride=2))
    seq('pads',img(),nn.ZeroPad2d((1,2,0,1)),nn.ConstantPad2d(1,.5),nn.ReflectionPad2d(2),nn.ReplicationPad2d((1,0,2,1)),nn.Conv2d(3,2,3))
    seq('up',img(),nn.Conv2d(3,3,1),nn.Upsample(scale_factor=2),nn.Upsample(scale_factor=1.5,mode='bilinear',align_corners=False),nn.Upsample(size=(13,15),mode='bilinear',align_corners=True),nn.UpsamplingNearest2d(scale_factor=2))
    seq('bicubic',img(),nn.Conv2d(3,3,1),nn.Upsample(scale_factor=2,mode='bicubic'))
    seq('pixel',img(4),nn.PixelShuffle(2),nn.Conv2d(1,2,1))
    seq('unshuffle',img(4,8,12),nn.PixelUnshuffle(2),nn.ChannelShuffle(2),nn.Conv2d(16,2,1))
    seq('embed',lambda b:torch.randint(0,9,(b,5)),nn.Embedding(9,4),nn.Flatten(),nn.Linear(20,3),how='tsm')
    seq('embag',lambda b:torch.randint(0,9,(b,5)),nn.EmbeddingBag(9,4,mode='mean'),nn.Linear(4,3))
    seq('embagmax',lambda b:torch.randint(0,9,(b,5)),nn.EmbeddingBag(9,4,mode='max'))
    seq('unflat',lambda b:r(b,12),nn.Linear(12,12),nn.Unflatten(1,(3,2,2)),nn.Conv2d(3,2,2))
    seq('enc',lambda b:r(b,5,8),nn.TransformerEncoder(nn.TransformerEncoderLayer(8,2,16,activation='gelu',batch_first=True,norm_first=True),2,norm=nn.LayerNorm(8)),how='sm')
    seq('enc2',lambda b:r(5,b,8),nn.TransformerEncoderLayer(8,2,16),how='sm')
    case('lstm_plain',nn.LSTM(3,5,num_layers=2,bidirectional=True),['input'],(r(4,1,3),),(r(6,7,3),))
    case('gru_plain',nn.GRU(3,5,batch_first=True),['input'],(r(1,4,3),),(r(7,6,3),))
    case('rnn_plain',nn.RNN(3,5,nonlinearity='relu'),['input'],(r(4,1,3),),(r(6,7,3),))
    case('lstmp',nn.LSTM(3,5,proj_size=2),['input'],(r(4,1,3),),(r(6,7,3),))
    case('grucell',nn.GRUCell(3,5),['input'],(r(1,3),),(r(7,3),))
    case('lstmcell',nn.LSTMCell(3,5),['input'],(r(1,3),),(r(7,3),))
    case('rnncell',nn.RNNCell(3,5),['input'],(r(1,3),),(r(7,3),))
    case('mha',nn.MultiheadAttention(8,2,batch_first=True),['query','key','value'],(r(1,4,8),r(1,5,8),r(1,5,8)),(r(7,4,8),r(7,5,8),r(7,5,8)),how='sm')
    case('mha_k',nn.MultiheadAttention(8,2,kdim=6,vdim=4),['query','key','value'],(r(4,1,8),r(5,1,6),r(5,1,4)),(r(4,7,8),r(5,7,6),r(5,7,4)),how='sm')
    case('tf',nn.Transformer(8,2,1,1,16,batch_first=True),['src','tgt'],(r(1,4,8),r(1,3,8)),(r(7,4,8),r(7,3,8)),how='sm')
    case('bilinear',nn.Bilinear(3,4,2),['input1','input2'],(r(1,3),r(1,4)),(r(7,3),r(7,4)))
    case('cos',nn.CosineSimilarity(1),['x1','x2'],(r(1,3),r(1,3)),(r(7,3),r(7,3)))


def run(path, kind, command, reference):
    import onnx
    import onnxruntime as ort
    out = os.path.join(tempfile.gettempdir(), f'torchscript_{os.getpid()}.onnx')
    arguments = shlex.split(command) + [path, out]
    if 'module' in kind or 'dict' in kind:
        arguments += ['--source', MODELS]
    if 'dict' in kind:
        arguments += ['--class', kind.split('.')[0]]
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        raise Exception('import: ' + (done.stdout + done.stderr)[:600])
    onnx.checker.check_model(onnx.load(out))
    session = ort.InferenceSession(out)
    worst = 0
    for round in range(2):
        part = lambda prefix: {k.split('/', 1)[1]: reference[k] for k in reference if k.startswith(f'{prefix}{round}/')}
        given = part('in')
        wanted = part('out')
        names = [i.name for i in session.get_inputs()]
        if set(names) != set(given):
            given = dict(zip(names, given.values()))
        got = session.run(None, {name: given[name] for name in names})
        if 'trace' not in kind and [o.name for o in session.get_outputs()] != list(wanted):
            raise Exception(f'outputs {[o.name for o in session.get_outputs()]}, expected {list(wanted)}')
        for a, b in zip(got, wanted.values()):
            a = np.asarray(a)
            if a.shape != b.shape:
                raise Exception(f'shape {a.shape}, expected {b.shape}')
            error = np.abs(a.astype(float) - b).max() / max(1e-30, np.abs(b).max())
            worst = max(worst, error)
            if not error <= 1e-5:
                raise Exception(f'error {error}')
    return worst


def check(folder, command, only):
    worst, bad, count = 0, 0, 0
    for path in sorted(glob.glob(f'{folder}/*.pt')):
        base = os.path.basename(path)
        if only and not any(each in base for each in only):
            continue
        name, kind = base.split('.', 1)
        count += 1
        try:
            worst = max(worst, run(path, kind, command, np.load(f'{folder}/{name}.npz')))
        except Exception as problem:
            bad += 1
            print('FAILED', base, str(problem)[:600])
    print(f'{count} files, {bad} failed, largest error {worst:.2g}')
    return bad


if __name__ == '__main__':
    if sys.argv[1] == 'make':
        make(sys.argv[2])
    else:
        at = sys.argv.index('--command')
        sys.exit(1 if check(sys.argv[2], sys.argv[at + 1], sys.argv[at + 2:]) else 0)
